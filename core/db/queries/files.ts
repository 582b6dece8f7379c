import type { Database } from 'better-sqlite3'
import type { ErrorCode, FILE_STATES } from '../../contract/index.ts'

export type FileState = (typeof FILE_STATES)[number]

export interface FileRow {
  id: number
  folder: number
  path: string
  name: string
  size: number
  /** Microseconds since 1970. */
  mtime: number
  /** Microseconds since 1970 at which the file system last changed anything about the file; null when not known. */
  ctime: number | null
  inode: number | null
  state: FileState
  image: number | null
  error_code: ErrorCode | null
  error_message: string | null
  seen_at: number
  shown: 0 | 1 | 2
  /** Above 0: a failed file that is listed no more. */
  ignored: number
}

/** A file as it lies on the disk. */
export interface DiskFile {
  path: string
  name: string
  size: number
  /** Microseconds since 1970. */
  mtime: number
  /** Of the last change to anything about the file, its name and rights included; microseconds since 1970. */
  ctime: number
  inode: number | null
}

export type FileQueries = ReturnType<typeof fileQueries>

const COLUMNS = `id, folder, path, name, size, mtime, ctime, inode, state, image, error_code, error_message, seen_at, shown, ignored`

/** What the grid sorts names by and looks for text in. */
export function nameKey(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

export function fileQueries(db: Database) {
  const byPath = db.prepare<[string], FileRow>(`SELECT ${COLUMNS} FROM file WHERE path = ?`)
  const byImage = db.prepare<[number], FileRow & { removed_at: number | null; offline: 0 | 1 }>(
    `SELECT ${COLUMNS.replaceAll(/\w+/g, 'f.$&')}, d.removed_at, d.offline FROM file f JOIN folder d ON d.id = f.folder WHERE f.image = ?
     ORDER BY d.removed_at IS NOT NULL, f.state = 'missing', f.state <> 'indexed', f.id`,
  )
  const inFolder = db.prepare<[number, number, number], FileRow>(
    `SELECT ${COLUMNS} FROM file WHERE folder = ? AND id > ? ORDER BY id LIMIT ?`,
  )
  const countInFolder = db.prepare<[number], number>(`SELECT COUNT(*) FROM file WHERE folder = ?`).pluck()
  const pending = db.prepare<[number, number, number], FileRow>(
    `SELECT ${COLUMNS} FROM file WHERE folder = ? AND state = 'pending' AND id > ? ORDER BY id LIMIT ?`,
  )
  const countPending = db.prepare<[number], number>(`SELECT COUNT(*) FROM file WHERE folder = ? AND state = 'pending'`).pluck()
  const unencoded = db.prepare<[number, number, number, number], FileRow>(
    `SELECT ${COLUMNS} FROM file f WHERE folder = ? AND shown = 2 AND state = 'indexed' AND id > ?
     AND NOT EXISTS (SELECT 1 FROM vector v WHERE v.image = f.image AND v.encoder = ?) ORDER BY id LIMIT ?`,
  )
  const countUnencoded = db
    .prepare<[number, number], number>(
      `SELECT COUNT(*) FROM file f WHERE folder = ? AND shown = 2 AND state = 'indexed'
       AND NOT EXISTS (SELECT 1 FROM vector v WHERE v.image = f.image AND v.encoder = ?)`,
    )
    .pluck()
  const knownSize = db.prepare<[number], 1>(`SELECT 1 FROM image WHERE bytes = ? LIMIT 1`).pluck()
  const twins = db.prepare<[number, number, number, number], FileRow>(
    `SELECT ${COLUMNS} FROM file WHERE inode = ? AND size = ? AND mtime = ? AND ctime = ? AND image IS NOT NULL
     AND folder IN (SELECT id FROM folder WHERE offline = 0)`,
  )
  const under = db.prepare<[string, string], 1>(`SELECT 1 FROM file WHERE path > ? AND path < ? LIMIT 1`).pluck()
  const insert = db.prepare(
    `INSERT INTO file (folder, path, name, size, mtime, ctime, inode, state, error_code, error_message, seen_at, name_key)
     VALUES (@folder, @path, @name, @size, @mtime, @ctime, @inode, @state, @code, @message, @seenAt, @nameKey)`,
  )
  const change = db.prepare(
    `UPDATE file SET folder = @folder, size = @size, mtime = @mtime, ctime = @ctime, inode = @inode, state = 'pending',
     error_code = NULL, error_message = NULL, ignored = 0, seen_at = @seenAt WHERE id = @id`,
  )
  const setIdentity = db.prepare<[number, number | null, number]>(`UPDATE file SET ctime = ?, inode = ? WHERE id = ?`)
  const setState = db.prepare<[FileState, number, number]>(`UPDATE file SET state = ?, seen_at = ? WHERE id = ?`)
  const setFolder = db.prepare<[number, number]>(`UPDATE file SET folder = ? WHERE id = ?`)
  const setFailed = db.prepare<[ErrorCode, string, number, number]>(
    `UPDATE file SET state = 'failed', image = NULL, shown = 0, error_code = ?, error_message = ?, seen_at = ? WHERE id = ?`,
  )
  const setUnreadable = db.prepare<[ErrorCode, string, number, number]>(
    `UPDATE file SET state = 'failed', error_code = ?, error_message = ?, seen_at = ? WHERE id = ?`,
  )
  const setIndexed = db.prepare<[number, number, number]>(
    `UPDATE file SET state = 'indexed', image = ?, error_code = NULL, error_message = NULL, seen_at = ? WHERE id = ?`,
  )
  const setTaken = db.prepare<[number]>(
    `UPDATE file SET taken_key = COALESCE((SELECT taken_at FROM image WHERE id = file.image), mtime / 1000) WHERE id = ?`,
  )
  const setShown = db.prepare<[number, number]>(`UPDATE file SET shown = ? WHERE id = ?`)
  const remove = db.prepare<[number]>(`DELETE FROM file WHERE id = ?`)
  const restore = db.prepare(
    `INSERT INTO file (folder, path, name, size, mtime, inode, state, image, seen_at, name_key)
     VALUES (@folder, @path, @name, @size, @mtime, @inode, @state, @image, @seenAt, @nameKey)`,
  )
  const missing = db.prepare<[number, number], FileRow>(`SELECT ${COLUMNS} FROM file WHERE folder = ? AND state = 'missing' LIMIT ?`)
  const shared = db.prepare<[number, number, number], { id: number; image: number }>(
    `SELECT id, image FROM file f WHERE folder = ? AND shown = 2 AND id > ?
     AND EXISTS (SELECT 1 FROM file g WHERE g.image = f.image AND g.id <> f.id) ORDER BY id LIMIT ?`,
  )

  /**
   * Chooses anew which file stands for an image: in the library (2), in its folder (1). A file that is
   * there comes before one that is not, a folder of the library before one that was taken out.
   */
  function label(image: number): void {
    const folders = new Set<number>()
    for (const [index, row] of byImage.all(image).entries()) {
      const shown = index === 0 ? 2 : folders.has(row.folder) ? 0 : 1
      folders.add(row.folder)
      if (row.shown !== shown) setShown.run(shown, row.id)
    }
  }

  return {
    byPath: (path: string) => byPath.get(path),
    /** The image's files: those that are there first, those of folders taken out of the library last. */
    ofImage: (image: number) => byImage.all(image),
    inFolder: (folder: number, afterId: number, limit: number) => inFolder.all(folder, afterId, limit),
    countInFolder: (folder: number) => countInFolder.get(folder) ?? 0,
    pending: (folder: number, afterId: number, limit: number) => pending.all(folder, afterId, limit),
    countPending: (folder: number) => countPending.get(folder) ?? 0,
    /** Files that stand for images without a vector of this encoder. */
    unencoded: (folder: number, encoder: number, afterId: number, limit: number) => unencoded.all(folder, afterId, encoder, limit),
    countUnencoded: (folder: number, encoder: number) => countUnencoded.get(folder, encoder) ?? 0,
    /** Whether an image of this many bytes is known, so that a file's bytes may be. */
    hasSize: (size: number) => knownSize.get(size) !== undefined,
    /** Whether files are known below this path. "0" is the character after "/", "]" the one after "\". */
    hasUnder: (path: string, separator: string) =>
      under.get(path + separator, path + String.fromCharCode(separator.charCodeAt(0) + 1)) !== undefined,
    /**
     * Files with an image that were the same file on the disk: their folder was renamed or moved when they are
     * gone and this one is new, since renaming a file itself changes its `ctime`.
     */
    twins: ({ inode, size, mtime, ctime }: Pick<FileRow, 'inode' | 'size' | 'mtime' | 'ctime'>) =>
      inode === null || ctime === null ? [] : twins.all(inode, size, mtime, ctime),
    /** Files of a folder that stand for an image that has other files too. */
    shared: (folder: number, afterId: number, limit: number) => shared.all(folder, afterId, limit),

    insert: (folder: number, file: DiskFile, seenAt: number) =>
      Number(
        insert.run({ ...file, folder, state: 'pending', code: null, message: null, seenAt, nameKey: nameKey(file.name) }).lastInsertRowid,
      ),
    /** A path that cannot be looked into at all: an unreadable folder, a name that is not UTF-8. */
    insertProblem: (folder: number, path: string, name: string, code: ErrorCode, message: string, seenAt: number) =>
      Number(
        insert.run({
          ...{ folder, path, name, size: 0, mtime: 0, ctime: null, inode: null },
          ...{ state: 'failed', code, message, seenAt, nameKey: nameKey(name) },
        }).lastInsertRowid,
      ),
    /** New bytes under a known path: to be read. It keeps standing for the old image until then. */
    change: (id: number, folder: number, file: DiskFile, seenAt: number) => void change.run({ ...file, id, folder, seenAt }),
    /** The same file, numbered anew: some file systems do that each time they are mounted. */
    setIdentity: (id: number, { ctime, inode }: DiskFile) => void setIdentity.run(ctime, inode, id),
    setState: (id: number, state: FileState, seenAt: number) => void setState.run(state, seenAt, id),
    setFolder: (id: number, folder: number) => void setFolder.run(folder, id),
    setFailed(row: Pick<FileRow, 'id' | 'image'>, code: ErrorCode, message: string, seenAt: number): void {
      setFailed.run(code, message, seenAt, row.id)
      if (row.image !== null) label(row.image)
    },
    /** It could not be read at all, so that nothing is known against the image it stood for: it goes on standing for it. */
    setUnreadable(row: Pick<FileRow, 'id' | 'image'>, code: ErrorCode, message: string, seenAt: number): void {
      setUnreadable.run(code, message, seenAt, row.id)
      if (row.image !== null) label(row.image)
    },
    setIndexed(row: Pick<FileRow, 'id' | 'image'>, image: number, seenAt: number): void {
      setIndexed.run(image, seenAt, row.id)
      setTaken.run(row.id)
      if (row.image !== null && row.image !== image) label(row.image)
      label(image)
    },
    remove(row: Pick<FileRow, 'id' | 'image'>): void {
      remove.run(row.id)
      if (row.image !== null) label(row.image)
    },
    label,
    missing: (folder: number, limit: number) => missing.all(folder, limit),
    /** A file whose content is known although it was not read here: one that was forgotten, or that another library knows. */
    restore(
      row: Pick<FileRow, 'folder' | 'path' | 'name' | 'size' | 'mtime' | 'image'> & { inode: number | null },
      state: FileState,
      seenAt: number,
    ): number {
      const { folder, path, name, size, mtime, inode, image } = row
      const values = { folder, path, name, size, mtime, inode, image, state, seenAt, nameKey: nameKey(name) }
      const id = Number(restore.run(values).lastInsertRowid)
      setTaken.run(id)
      if (image !== null) label(image)
      return id
    },
  }
}
