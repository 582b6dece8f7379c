import type { Database } from 'better-sqlite3'

export interface FolderRow {
  id: number
  path: string
  added_at: number
  removed_at: number | null
  offline: 0 | 1
  /** Patterns of what is left out, as in gitignore(5). */
  ignore: string
  /** The file system's number when pictures were last seen there. */
  device: number | null
}

export interface FolderCounts {
  folder: number
  files: number
  images: number
  pending: number
  failed: number
  missing: number
}

export type FolderQueries = ReturnType<typeof folderQueries>

export function folderQueries(db: Database) {
  const all = db.prepare<[], FolderRow>(`SELECT * FROM folder ORDER BY id`)
  const byId = db.prepare<[number], FolderRow>(`SELECT * FROM folder WHERE id = ?`)
  const insert = db.prepare<[string, number]>(`INSERT INTO folder (path, added_at) VALUES (?, ?)`)
  const remove = db.prepare<[number]>(`DELETE FROM folder WHERE id = ?`)
  const setRemoved = db.prepare<[number | null, number]>(`UPDATE folder SET removed_at = ? WHERE id = ?`)
  // Not touched where it is so already: a change of a folder calls for a backup.
  const setOffline = db.prepare<[0 | 1, number, 0 | 1]>(`UPDATE folder SET offline = ? WHERE id = ? AND offline <> ?`)
  const setIgnore = db.prepare<[string, number]>(`UPDATE folder SET ignore = ? WHERE id = ?`)
  const setDevice = db.prepare<[number | null, number]>(`UPDATE folder SET device = ? WHERE id = ?`)
  const states = db.prepare<[], { folder: number; state: string; count: number }>(
    `SELECT folder, state, COUNT(*) AS count FROM file GROUP BY folder, state`,
  )
  const ignored = db.prepare<[], { folder: number; count: number }>(
    `SELECT folder, COUNT(*) AS count FROM file WHERE state = 'failed' AND ignored > 0 GROUP BY folder`,
  )
  const images = db.prepare<[], { folder: number; count: number }>(
    `SELECT folder, COUNT(*) AS count FROM file WHERE shown > 0 GROUP BY folder`,
  )

  return {
    all: () => all.all(),
    byId: (id: number) => byId.get(id),
    insert: (path: string, addedAt: number) => Number(insert.run(path, addedAt).lastInsertRowid),
    remove: (id: number) => void remove.run(id),
    setRemoved: (id: number, removedAt: number | null) => void setRemoved.run(removedAt, id),
    setOffline: (id: number, offline: boolean) => void setOffline.run(offline ? 1 : 0, id, offline ? 1 : 0),
    setIgnore: (id: number, patterns: string) => void setIgnore.run(patterns, id),
    setDevice: (id: number, device: number | null) => void setDevice.run(device, id),
    /** Files of each folder by state, and distinct contents. Failed ones that are ignored count as files only. */
    counts(): Map<number, FolderCounts> {
      const counts = new Map<number, FolderCounts>()
      const of = (folder: number) => {
        const found = counts.get(folder) ?? { folder, files: 0, images: 0, pending: 0, failed: 0, missing: 0 }
        counts.set(folder, found)
        return found
      }
      for (const { folder, state, count } of states.iterate()) {
        const sum = of(folder)
        sum.files += count
        if (state === 'pending' || state === 'failed' || state === 'missing') sum[state] += count
      }
      for (const { folder, count } of ignored.iterate()) of(folder).failed -= count
      for (const { folder, count } of images.iterate()) of(folder).images = count
      return counts
    },
  }
}
