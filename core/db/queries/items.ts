import type { Database, Statement } from 'better-sqlite3'
import type { ItemQuery } from '../../contract/index.ts'
import { nameKey, type FileState } from './files.ts'

/** An image with the file that stands for it. */
export interface ItemRow {
  id: number
  path: string
  name: string
  state: FileState
  /** Microseconds since 1970. */
  mtime: number
  width: number
  height: number
  bytes: number
  taken_at: number | null
  content_hash: string
  copies: number
}

export interface LibraryCounts {
  files: number
  images: number
  pending: number
  failed: number
  missing: number
}

export type ItemQueries = ReturnType<typeof itemQueries>

const SORT_KEYS: Record<ItemQuery['sort'], string> = { added: 'image', taken: 'taken_key', name: 'name_key', size: 'size' }

const ITEM = `i.id, f.path, f.name, f.state, f.mtime, i.width, i.height, i.bytes, i.taken_at, i.content_hash,
  (SELECT COUNT(*) FROM file c JOIN folder d ON d.id = c.folder WHERE c.image = i.id AND c.state <> 'missing' AND d.removed_at IS NULL) AS copies`

export function itemQueries(db: Database) {
  const statements = new Map<string, Statement>()
  const prepare = (sql: string) => {
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  const hiddenFolders = db.prepare<[], number>(`SELECT id FROM folder WHERE removed_at IS NOT NULL`).pluck()
  const states = db.prepare<[], { state: string; count: number }>(
    `SELECT state, COUNT(*) AS count FROM file WHERE folder IN (SELECT id FROM folder WHERE removed_at IS NULL) GROUP BY state`,
  )
  const inFolder = db.prepare<[number], number>(`SELECT image FROM file WHERE folder = ? AND shown > 0`).pluck()
  const one = db.prepare<[number], ItemRow>(
    `SELECT ${ITEM} FROM file f JOIN image i ON i.id = f.image JOIN folder d ON d.id = f.folder
     WHERE f.image = ? AND f.shown = 2 AND d.removed_at IS NULL`,
  )
  const oneInFolder = db.prepare<[number, number], ItemRow>(
    `SELECT ${ITEM} FROM file f JOIN image i ON i.id = f.image WHERE f.image = ? AND f.folder = ? AND f.shown > 0`,
  )

  /** Which files the grid shows, as SQL over columns that the indexes of `shown` hold. */
  function where({ folderId, text }: Pick<ItemQuery, 'folderId' | 'text'>): { sql: string; values: (string | number)[] } {
    const values: (string | number)[] = []
    let sql = folderId === undefined ? 'shown = 2' : 'shown > 0 AND folder = ?'
    if (folderId !== undefined) values.push(folderId)
    // Folders taken out are few, and their rows are left as they are so that taking out and putting back is instant.
    const hidden = hiddenFolders.all()
    if (hidden.length > 0) sql += ` AND folder NOT IN (${hidden.join(', ')})`
    if (text) {
      sql += ' AND instr(name_key, ?) > 0'
      values.push(nameKey(text))
    }
    return { sql, values }
  }

  return {
    count(query: Pick<ItemQuery, 'folderId' | 'text'>): number {
      const { sql, values } = where(query)
      return prepare(`SELECT COUNT(*) AS count FROM file WHERE ${sql}`)
        .pluck()
        .get(...values) as number
    },
    /** A page of the grid. The inner query walks one index without touching a row, so that a far page costs little more than the first. */
    page(query: ItemQuery & { offset: number; limit: number }): ItemRow[] {
      const { sql, values } = where(query)
      const direction = query.descending ? 'DESC' : 'ASC'
      const order = (table: string) =>
        [...new Set([SORT_KEYS[query.sort], 'image'])].map((column) => `${table}${column} ${direction}`).join(', ')
      return prepare(
        `SELECT ${ITEM} FROM (SELECT id FROM file WHERE ${sql} ORDER BY ${order('')} LIMIT ? OFFSET ?) p
         CROSS JOIN file f ON f.id = p.id JOIN image i ON i.id = f.image ORDER BY ${order('f.')}`,
      ).all(...values, query.limit, query.offset) as ItemRow[]
    },
    /** The item of an image, or undefined when no folder of the library (or not this one) holds it. */
    byImage: (image: number, folder?: number) => (folder === undefined ? one.get(image) : oneInFolder.get(image, folder)),
    /** Ids of the images in a folder. */
    imagesIn: (folder: number) => inFolder.iterate(folder),
    counts(): LibraryCounts {
      const counts: LibraryCounts = { files: 0, images: this.count({}), pending: 0, failed: 0, missing: 0 }
      for (const { state, count } of states.iterate()) {
        counts.files += count
        if (state === 'pending' || state === 'failed' || state === 'missing') counts[state] += count
      }
      return counts
    },
  }
}
