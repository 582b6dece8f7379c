import type { Database, Statement } from 'better-sqlite3'
import type { ItemFilter, ItemQuery } from '../../contract/index.ts'
import type { FileState } from './files.ts'
import { filterQueries } from './filter.ts'

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

/** With fewer items than this within a folder's folder they are looked up there and sorted; else the order is walked and they are picked out. */
const SORTED = 10_000

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
  const filters = filterQueries(db)
  const states = db.prepare<[], { state: string; count: number }>(
    `SELECT state, COUNT(*) AS count FROM file WHERE folder IN (SELECT id FROM folder WHERE removed_at IS NULL) GROUP BY state`,
  )
  const ignored = db
    .prepare<[], number>(
      `SELECT COUNT(*) FROM file WHERE state = 'failed' AND ignored > 0 AND folder IN (SELECT id FROM folder WHERE removed_at IS NULL)`,
    )
    .pluck()
  const one = db.prepare<[number], ItemRow>(
    `SELECT ${ITEM} FROM file f JOIN image i ON i.id = f.image JOIN folder d ON d.id = f.folder
     WHERE f.image = ? AND f.shown = 2 AND d.removed_at IS NULL`,
  )
  const oneInFolder = db.prepare<[number, number], ItemRow>(
    `SELECT ${ITEM} FROM file f JOIN image i ON i.id = f.image WHERE f.image = ? AND f.folder = ? AND f.shown > 0`,
  )

  return {
    count(filter: ItemFilter): number {
      const { from, where, values } = filters.of(filter)
      return prepare(`SELECT COUNT(*) AS count FROM ${from} WHERE ${where}`)
        .pluck()
        .get(...values) as number
    },
    /**
     * A page of the grid, of `total` items that the filter leaves. The inner query walks one index, without
     * touching a row where nothing else is filtered by, so that a far page costs little more than the first.
     */
    page(query: ItemQuery & { offset: number; limit: number }, total: number): ItemRow[] {
      const { from, where, values } = filters.of(query, total < SORTED)
      const direction = query.descending ? 'DESC' : 'ASC'
      const order = (table: string) =>
        [...new Set([SORT_KEYS[query.sort], 'image'])].map((column) => `${table}${column} ${direction}`).join(', ')
      return prepare(
        `SELECT ${ITEM} FROM (SELECT f.id FROM ${from} WHERE ${where} ORDER BY ${order('f.')} LIMIT ? OFFSET ?) p
         CROSS JOIN file f ON f.id = p.id JOIN image i ON i.id = f.image ORDER BY ${order('f.')}`,
      ).all(...values, query.limit, query.offset) as ItemRow[]
    },
    /** The item of an image, or undefined when no folder of the library (or not this one) holds it. */
    byImage: (image: number, folder?: number) => (folder === undefined ? one.get(image) : oneInFolder.get(image, folder)),
    /** Ids of the images that a filter leaves. */
    images(filter: ItemFilter): number[] {
      const { from, where, values } = filters.of(filter)
      return prepare(`SELECT f.image FROM ${from} WHERE ${where}`)
        .pluck()
        .all(...values) as number[]
    },
    counts(): LibraryCounts {
      const counts: LibraryCounts = { files: 0, images: this.count({}), pending: 0, failed: 0, missing: 0 }
      for (const { state, count } of states.iterate()) {
        counts.files += count
        if (state === 'pending' || state === 'failed' || state === 'missing') counts[state] += count
      }
      counts.failed -= ignored.get() ?? 0
      return counts
    },
  }
}
