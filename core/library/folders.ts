import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { LucidexError } from '../contract/index.ts'
import type { FileQueries, FolderQueries, FolderRow, ImageQueries, RemovalQueries } from '../db/index.ts'

/** Rows changed in one transaction, before the event loop gets a turn. */
const PAGE = 250

interface Tables {
  db: Database
  folders: FolderQueries
  files: FileQueries
  images: ImageQueries
}

/** The real path of a folder that can be read. Errors: FOLDER_NOT_FOUND, FOLDER_NOT_READABLE. */
export async function readableFolder(wanted: string): Promise<string> {
  const full = path.resolve(wanted)
  try {
    const real = await realpath(full)
    if (!(await stat(real)).isDirectory()) throw new LucidexError('FOLDER_NOT_FOUND', 'This is not a folder', { path: full })
    await access(real, constants.R_OK | constants.X_OK)
    return real
  } catch (cause) {
    if (cause instanceof LucidexError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new LucidexError('FOLDER_NOT_FOUND', 'The folder is not there', { path: full, cause })
    throw new LucidexError('FOLDER_NOT_READABLE', 'No permission to read the folder', { path: full, cause })
  }
}

/** Whether `inner` is `outer` or lies below it. Both are real paths. */
export function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(path.sep) ? outer : outer + path.sep)
}

/** What a file system knows a folder by, however it is spelled; undefined where there is nothing of the kind. */
async function identityOf(folder: string): Promise<string | undefined> {
  const info = await stat(folder, { bigint: true }).catch(() => undefined)
  return info && info.ino !== 0n ? `${info.dev}:${info.ino}` : undefined
}

/**
 * The one of `folders` that is the folder `real` or lies above it. Where a file system is blind to case, or to
 * how Unicode spells a name, or shows a folder in two places, one folder has several paths: so those that
 * differ are compared by what the file system knows them by.
 */
export async function coveringFolder<T extends { path: string }>(
  folders: readonly T[],
  real: string,
  identify: (folder: string) => Promise<string | undefined> = identityOf,
): Promise<T | undefined> {
  const byPath = folders.find(({ path: outer }) => covers(outer, real))
  if (byPath) return byPath
  const known = new Map<string | undefined, T>()
  for (const folder of folders) known.set(await identify(folder.path), folder)
  known.delete(undefined)
  for (let above = real; ; above = path.dirname(above)) {
    const found = known.get(await identify(above))
    if (found || above === path.dirname(above)) return found
  }
}

/** Hands all files of a folder to another one and forgets the emptied folder. Cut short, it can be taken up again. */
export async function handOverFiles(from: number, to: number, { db, folders, files }: Omit<Tables, 'images'>): Promise<void> {
  const handPage = db.transaction(() => {
    const rows = files.inFolder(from, 0, PAGE)
    for (const row of rows) {
      files.setFolder(row.id, to)
      if (row.image !== null) files.label(row.image)
    }
    return rows.length
  })
  while (handPage() > 0) await nextTurn()
  folders.remove(from)
}

/** Hands the files of the folders that lie inside `outer` to it, forgets those folders and returns their ids. Taken up again by the next start if cut short. */
export async function swallowInner(outer: FolderRow, tables: Tables): Promise<number[]> {
  const swallowed: number[] = []
  for (const inner of tables.folders.all()) {
    if (inner.id === outer.id || !covers(outer.path, inner.path)) continue
    await handOverFiles(inner.id, outer.id, tables)
    swallowed.push(inner.id)
  }
  return swallowed
}

/** Lets another file stand for each image of a folder that was taken out, where another folder has one. */
export async function handOverImages(folder: number, { db, files }: Tables): Promise<void> {
  const relabel = db.transaction((rows: { image: number }[]) => {
    for (const { image } of rows) files.label(image)
  })
  for (let last = 0; ;) {
    const rows = files.shared(folder, last, PAGE)
    if (rows.length === 0) return
    relabel(rows)
    last = rows.at(-1)!.id
    await nextTurn()
  }
}

/** Deletes the folders that were taken out and cannot be put back any more, and the images that no file holds: `removed` is told their ids. */
export async function purge(
  { db, folders, files, images, removals }: Tables & { removals: RemovalQueries },
  removed: (images: number[]) => void = () => undefined,
): Promise<void> {
  const clear = db.transaction((folder: number) => {
    const rows = files.inFolder(folder, 0, PAGE)
    for (const row of rows) files.remove(row)
    return rows.length
  })
  const clearImages = db.transaction(() => {
    const orphans = images.orphans(PAGE)
    for (const image of orphans) images.remove(image)
    return orphans
  })
  for (const folder of folders.all()) {
    if (folder.removed_at === null || removals.ofFolder(folder.id)) continue
    while (clear(folder.id) > 0) await nextTurn()
    folders.remove(folder.id)
  }
  for (let orphans = clearImages(); orphans.length > 0; orphans = clearImages()) {
    removed(orphans)
    await nextTurn()
  }
}
