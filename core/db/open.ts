import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { LucidexError, type LibraryStatus } from '../contract/index.ts'
import type { Log } from '../deps.ts'
import { databaseFailure } from './failures.ts'
import { lockLibrary } from './lock.ts'
import { migrate, refuseFuture, versionOf } from './migrate.ts'
import { migrations } from './migrations/index.ts'

/** A library's catalog, opened. */
export interface LibraryDatabase {
  /** The library's folder: holds the catalog and what belongs to it. */
  readonly dir: string
  readonly db: Database.Database
  readonly readOnly: boolean
  readonly integrity: LibraryStatus['integrity']
  /** Bytes of the catalog on disk, its log included. */
  bytes(): number
  /** Also gives the writer's lock back. */
  close(): void
}

const NAME = 'lucidex.db'
/** How long a statement waits for another process's short write, in milliseconds. */
const BUSY_MS = 5000
/** The tables that are nothing but bytes, too large to be checked at every start: a broken page shows when it is read. */
const UNCHECKED = new Set(['thumbnail', 'vector'])

/**
 * Opens the library in `dir`, made when missing; for reading only, beside the process that writes it,
 * when `readOnly`. Synchronous: nothing is served before it is open.
 *
 * Errors: LIBRARY_IN_USE, LIBRARY_FROM_FUTURE, LIBRARY_CORRUPT (a damaged library is never written to; it
 * can still be opened for reading when its tables can be), FILE_NOT_WRITABLE, DISK_FULL; when reading only,
 * FILE_NOT_FOUND where there is no library.
 */
export function openDatabase(dir: string, { readOnly, log }: { readOnly: boolean; log: Log }): LibraryDatabase {
  const file = path.join(dir, NAME)
  if (readOnly && !existsSync(file)) throw new LucidexError('FILE_NOT_FOUND', `There is no library in ${dir}`, { path: dir })
  const undo: (() => void)[] = []
  const undoAll = () => {
    for (const step of undo.splice(0).reverse()) step()
  }
  try {
    if (!readOnly) {
      mkdirSync(dir, { recursive: true })
      undo.push(lockLibrary(dir))
    }
    const db = new Database(file, { readonly: readOnly, timeout: BUSY_MS })
    undo.push(() => db.close())
    db.pragma('foreign_keys = ON')
    if (!readOnly) {
      db.pragma('journal_mode = WAL')
      // In WAL mode a crash of the machine may lose the last moments, never the file's consistency.
      db.pragma('synchronous = NORMAL')
    }
    refuseFuture(db, migrations)
    const damage = findDamage(db)
    if (damage) {
      log.error(`The library ${dir} is damaged: ${damage}`)
      if (!readOnly) throw new LucidexError('LIBRARY_CORRUPT', `The library is damaged: ${damage}`, { path: file })
    }
    if (!readOnly) {
      migrate(db, migrations)
    } else if (versionOf(db) < migrations.length) {
      throw new LucidexError('LIBRARY_IN_USE', 'The library was made by an older version of Lucidex: open it for writing once', {
        path: dir,
      })
    }
    return {
      dir,
      db,
      readOnly,
      integrity: damage ? 'corrupt' : 'ok',
      bytes: () => sizeOf(file) + sizeOf(`${file}-wal`),
      close: undoAll,
    }
  } catch (thrown) {
    undoAll()
    throw databaseFailure(thrown, file)
  }
}

/** The first damage that SQLite finds in the structure of the tables, or undefined. */
function findDamage(db: Database.Database): string | undefined {
  const tables = db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).pluck().all()
  for (const table of tables) {
    if (UNCHECKED.has(table)) continue
    const found = db.pragma(`quick_check('${table}')`, { simple: true }) as string
    if (found !== 'ok') return found
  }
  return undefined
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
