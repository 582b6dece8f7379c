/** Parts of paths as any system writes them. */

const cut = (path: string): number => Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1

/** `a/b/c.jpg` → `c.jpg`. */
export const baseName = (path: string): string => path.slice(cut(path))

/** `a/b/c.jpg` → `a/b/`. */
export const folderOf = (path: string): string => path.slice(0, cut(path))
