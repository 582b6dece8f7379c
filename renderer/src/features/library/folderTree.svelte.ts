import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import type { Folder, TreeNode } from '$contract'
import { preferences } from '../../app/preferences.svelte.ts'
import { engine } from '../../engine/engine.svelte.ts'

/** One line of the tree: a folder of the library, or one inside it. */
export interface TreeRow {
  /** As in the address: `3/2024/Lisbon`. */
  key: string
  folder: Folder
  /** Null for the folder of the library itself. */
  within: string | null
  name: string
  counts: { files: number; pending: number; failed: number; missing: number }
  level: number
  parent: string | null
  /** Among its siblings, from 1. */
  position: number
  siblings: number
  expandable: boolean
  expanded: boolean
  /** It is open, but what lies inside has not been read yet. */
  loading: boolean
}

export const keyOf = (folderId: number, within: string | null): string => (within === null ? `${folderId}` : `${folderId}/${within}`)

/** The folders of the library as a tree whose branches are read when they are opened. */
export class FolderTree {
  #children = new SvelteMap<string, TreeNode[]>()
  #expanded = new SvelteSet<string>(preferences.openFolders)

  /** The lines that are to be seen, from top to bottom. */
  rows(folders: Folder[]): TreeRow[] {
    return folders.flatMap((folder, index) => {
      const key = keyOf(folder.id, null)
      const inside = this.#children.get(key)
      const row = this.#row(key, {
        ...{ folder, within: null, name: folder.name, counts: folder.counts, level: 1, parent: null },
        ...{ position: index + 1, siblings: folders.length },
        // Whether folders lie inside it is known once it was opened.
        expandable: inside ? inside.length > 0 : folder.counts.files > 0,
      })
      return [row, ...this.#inside(row)]
    })
  }

  /** Opens or closes a branch. */
  toggle(row: TreeRow): void {
    if (row.expanded) this.#expanded.delete(row.key)
    else {
      this.#expanded.add(row.key)
      void this.#read(row.folder.id, row.within)
    }
    preferences.set({ openFolders: [...this.#expanded] })
  }

  /** Opens all that a folder lies in. */
  reveal(folderId: number, within: string): void {
    const parts = within.split('/')
    for (const [depth] of parts.entries()) {
      const above = depth === 0 ? null : parts.slice(0, depth).join('/')
      this.#expanded.add(keyOf(folderId, above))
      void this.#read(folderId, above)
    }
  }

  /** Reads what is open again; what is shown stays until then. */
  renew(folders: Folder[]): void {
    const known = new Set(folders.map((folder) => folder.id))
    for (const key of this.#expanded) {
      const [id = '', ...parts] = key.split('/')
      if (known.has(Number(id))) void this.#read(Number(id), parts.length > 0 ? parts.join('/') : null)
    }
  }

  #inside(above: TreeRow): TreeRow[] {
    if (!above.expanded) return []
    const nodes = this.#children.get(above.key) ?? []
    return nodes.flatMap((node, index) => {
      const row = this.#row(keyOf(above.folder.id, node.within), {
        ...{ folder: above.folder, within: node.within, name: node.name, counts: node.counts, level: above.level + 1, parent: above.key },
        ...{ position: index + 1, siblings: nodes.length, expandable: node.hasChildren },
      })
      return [row, ...this.#inside(row)]
    })
  }

  #row(key: string, row: Omit<TreeRow, 'key' | 'expanded' | 'loading'>): TreeRow {
    const expanded = row.expandable && this.#expanded.has(key)
    return { ...row, key, expanded, loading: expanded && !this.#children.has(key) }
  }

  async #read(folderId: number, within: string | null): Promise<void> {
    const key = keyOf(folderId, within)
    try {
      this.#children.set(key, await engine.api.library.tree({ folderId, ...(within !== null && { within }) }))
    } catch {
      // The engine or the folder went away: the branch stays as it was, and the next change reads it again.
    }
  }
}

/** The line that a key moves to from line `index`, or undefined when the key moves nowhere. `typed`: the letters typed so far. */
export function moveInTree(rows: TreeRow[], index: number, key: string, typed: string): number | undefined {
  const row = rows[index]
  if (!row) return rows.length > 0 ? 0 : undefined
  switch (key) {
    case 'ArrowDown':
      return Math.min(rows.length - 1, index + 1)
    case 'ArrowUp':
      return Math.max(0, index - 1)
    case 'Home':
      return 0
    case 'End':
      return rows.length - 1
    case 'ArrowRight':
      return row.expanded && rows[index + 1]?.parent === row.key ? index + 1 : undefined
    case 'ArrowLeft':
      return row.expanded || row.parent === null ? undefined : rows.findIndex((candidate) => candidate.key === row.parent)
  }
  if (typed === '') return undefined
  // One letter goes on to the next that begins so; more of them stay while they still fit.
  const from = [...rows.keys()].map((offset) => (index + (typed.length === 1 ? 1 : 0) + offset) % rows.length)
  return from.find((candidate) => rows[candidate]!.name.toLowerCase().startsWith(typed))
}
