import type { Database } from 'better-sqlite3'
import type { Undoable } from '../../contract/index.ts'
import type { FileRow } from './files.ts'

export interface RemovalRow {
  id: number
  kind: Undoable['kind']
  folder: number | null
  folder_path: string | null
  count: number
  made_at: number
}

/** The row of a file that was forgotten, kept until it cannot be undone any more. */
export interface ForgottenRow extends Pick<FileRow, 'folder' | 'path' | 'name' | 'size' | 'mtime' | 'image'> {
  id: number
  removal: number
  inode: number | null
}

export type RemovalQueries = ReturnType<typeof removalQueries>

/** What was taken out of the library and can be put back. */
export function removalQueries(db: Database) {
  const insert = db.prepare(`INSERT INTO removal (kind, folder, count, made_at) VALUES (?, ?, ?, ?)`)
  const all = db.prepare<[], RemovalRow>(
    `SELECT r.*, d.path AS folder_path FROM removal r LEFT JOIN folder d ON d.id = r.folder WHERE r.count > 0 OR r.kind = 'remove-folder' ORDER BY r.id DESC`,
  )
  const byId = db.prepare<[number], RemovalRow>(
    `SELECT r.*, d.path AS folder_path FROM removal r LEFT JOIN folder d ON d.id = r.folder WHERE r.id = ?`,
  )
  const ofFolder = db.prepare<[number], RemovalRow>(
    `SELECT *, NULL AS folder_path FROM removal WHERE folder = ? AND kind = 'remove-folder'`,
  )
  const setCount = db.prepare<[number, number]>(`UPDATE removal SET count = ? WHERE id = ?`)
  const remove = db.prepare<[number]>(`DELETE FROM removal WHERE id = ?`)
  const before = db.prepare<[number], number>(`SELECT id FROM removal WHERE made_at <= ? ORDER BY id LIMIT 1`).pluck()
  const keep = db.prepare<[number, number]>(
    `INSERT INTO forgotten (removal, folder, path, name, size, mtime, inode, image)
     SELECT ?, folder, path, name, size, mtime, inode, image FROM file WHERE id = ?`,
  )
  const forgotten = db.prepare<[number, number], ForgottenRow>(`SELECT * FROM forgotten WHERE removal = ? ORDER BY id LIMIT ?`)
  const drop = db.prepare<[number]>(`DELETE FROM forgotten WHERE id = ?`)
  const ignore = db.prepare<[number, number]>(`UPDATE file SET ignored = ? WHERE id = ? AND state = 'failed' AND ignored = 0`)
  const unignore = db.prepare<[number]>(`UPDATE file SET ignored = 0 WHERE ignored = ? AND state = 'failed'`)
  const filesIn = db.prepare<[number], number>(`SELECT COUNT(*) FROM file WHERE folder = ?`).pluck()

  return {
    /** `count` is set when the work is done. */
    insert: (kind: Undoable['kind'], folder: number | null, count: number, at: number) =>
      Number(insert.run(kind, folder, count, at).lastInsertRowid),
    /** Newest first. */
    all: () => all.all(),
    byId: (id: number) => byId.get(id),
    /** By which a folder was taken out. */
    ofFolder: (folder: number) => ofFolder.get(folder),
    setCount: (id: number, count: number) => void setCount.run(count, id),
    remove: (id: number) => void remove.run(id),
    /** One that was made at this time or before, or undefined. */
    oldest: (madeAt: number) => before.get(madeAt),
    /** Keeps a copy of a file's row, which the caller deletes. */
    keep: (removal: number, file: number) => void keep.run(removal, file),
    forgotten: (removal: number, limit: number) => forgotten.all(removal, limit),
    drop: (id: number) => void drop.run(id),
    /** Returns whether it was a failed file that was not ignored yet. */
    ignore: (removal: number, file: number) => ignore.run(removal, file).changes === 1,
    unignore: (removal: number) => void unignore.run(removal),
    filesIn: (folder: number) => filesIn.get(folder) ?? 0,
  }
}
