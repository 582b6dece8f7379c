import type { Database } from 'better-sqlite3'
import type { DatabaseThread } from './thread.ts'

/** Nothing but bytes, most of the database: a broken page of theirs breaks no other table. */
export const BULK: ReadonlySet<string> = new Set(['thumbnail', 'vector'])

/** These grow with the number of pictures as well. */
const LARGE: ReadonlySet<string> = new Set(['file', 'image', ...BULK])

/** Which of a database's tables: the small ones, all but {@link BULK}, or all. */
export type Part = 'small' | 'catalog' | 'everything'

function isIn(part: Part, table: string): boolean {
  return part === 'everything' || !(part === 'catalog' ? BULK : LARGE).has(table)
}

const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage`

/** Of all tables at once, and of what belongs to none: free pages, and the map that finds a page's owner. */
export const WHOLE = 'quick_check(1)'

/** The database's own tables. */
export function tablesOf(db: Database): string[] {
  return db.prepare<[], string>(TABLES).pluck().all()
}

/**
 * The first damage that SQLite finds in the structure of the tables, or of all the database, or undefined. Also
 * tells of indexes that do not agree with their table, and of rows that refer to missing ones, when `thorough`.
 */
export function findDamage(db: Database, part: Part, { thorough = false } = {}): string | undefined {
  try {
    if (part === 'everything') {
      const found = db.pragma(thorough ? 'integrity_check(1)' : WHOLE, { simple: true }) as string
      if (found !== 'ok') return brief(found)
    } else {
      for (const table of tablesOf(db).filter((table) => isIn(part, table))) {
        const found = damageOf(db, table, { thorough })
        if (found) return found
      }
    }
    const broken = thorough ? (db.pragma('foreign_key_check') as unknown[]) : []
    return broken.length > 0 ? `${broken.length} rows refer to rows that are not there` : undefined
  } catch (thrown) {
    return messageOfDamage(thrown)
  }
}

/** The first damage of one table. */
export function damageOf(db: Database, table: string, { thorough = false } = {}): string | undefined {
  try {
    const found = db.pragma(`${thorough ? 'integrity_check' : 'quick_check'}('${table}')`, { simple: true }) as string
    return found === 'ok' ? undefined : brief(found)
  } catch (thrown) {
    return messageOfDamage(thrown)
  }
}

/** {@link findDamage} in a thread: for large libraries, whose check takes seconds. */
export async function findDamageIn(thread: DatabaseThread, part: Part): Promise<string | undefined> {
  try {
    const tables = async () => (await thread.run(TABLES)).map(({ name }) => name as string).filter((table) => isIn(part, table))
    const checks = part === 'everything' ? [WHOLE] : (await tables()).map((table) => `quick_check('${table}')`)
    for (const check of checks) {
      const [row] = await thread.run(`PRAGMA ${check}`)
      const found = String(Object.values(row!)[0])
      if (found !== 'ok') return brief(found)
    }
    return undefined
  } catch (thrown) {
    return messageOfDamage(thrown)
  }
}

/** What SQLite said, if it is of damage; else throws it on. */
function messageOfDamage(thrown: unknown): string {
  if (isDamage(thrown)) return (thrown as Error).message
  throw thrown
}

/** Whether this is SQLite saying that a database is damaged, or no database. */
export function isDamage(thrown: unknown): boolean {
  const { code } = thrown as { code?: unknown }
  return typeof code === 'string' && (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
}

/** A row that refers to one that is not there, as `PRAGMA foreign_key_check` answers it. */
export interface BrokenReference {
  table: string
  rowid: number
}

/** Deletes rows that refer to missing ones. */
export function removeRows(db: Database, rows: readonly BrokenReference[]): void {
  for (const { table, rowid } of rows) db.prepare(`DELETE FROM ${table} WHERE rowid = ?`).run(rowid)
}

/** One line: SQLite heads its findings with the database's own name. */
function brief(found: string): string {
  return found.replace(/^\*\*\* in database main \*\*\*\n/, '').split('\n')[0]!
}
