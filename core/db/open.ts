import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { LucidexError, type LibraryStatus } from '../contract/index.ts'
import type { Log } from '../deps.ts'
import { backUpNow, listBackups } from './backup.ts'
import { findDamage, isDamage } from './check.ts'
import { databaseFailure } from './failures.ts'
import { lockLibrary } from './lock.ts'
import { migrate, refuseFuture, versionOf, type Migration } from './migrate.ts'
import { migrations as all } from './migrations/index.ts'
import { finishRepair, repair, type Repair } from './repair.ts'
import { isLogSuspect } from './wal.ts'

/** A library's catalog, opened. */
export interface LibraryDatabase {
  /** The library's folder: holds the catalog and what belongs to it. */
  readonly dir: string
  readonly db: Database.Database
  readonly readOnly: boolean
  readonly integrity: LibraryStatus['integrity']
  /** What was done on opening because the catalog was damaged. */
  readonly repair: Repair | undefined
  /** Whether the whole of it was checked on opening. */
  readonly isChecked: boolean
  /** Bytes of the catalog on disk, its log included. */
  bytes(): number
  /**
   * What any statement threw, as a {@link databaseFailure}. Where that says that the catalog is damaged, it is
   * remembered beside it, so that the next opening repairs it.
   */
  failure(thrown: unknown): unknown
  /** Told once, when damage is met after opening. */
  onDamage(listener: (failure: LucidexError) => void): void
  /** Also gives the writer's lock back. */
  close(): void
}

export interface OpenOptions {
  readOnly: boolean
  log: Log
  /** Milliseconds since 1970. */
  now?: () => number
  /** For tests. */
  migrations?: readonly Migration[]
  /** For tests: bytes up to which a catalog is checked whole at once. */
  checkedAtOnce?: number
}

const NAME = 'lucidex.db'
/** How long a statement waits for another process's short write, in milliseconds. */
const BUSY_MS = 5000
/** A catalog of at most so many bytes is checked whole before anything is served: some 0.2 s. Larger ones are checked by the upkeep. */
const CHECKED_AT_ONCE = 64 * 2 ** 20

/**
 * Opens the library in `dir`, made when missing; for reading only, beside the process that writes it,
 * when `readOnly`. Synchronous: nothing is served before it is open.
 *
 * Opened for writing, a damaged catalog is set aside and made anew (see {@link repair}). It is looked for
 * damage where there is reason to: when an earlier run met some, when the log of a killed process is not
 * what was written; and always while it is small. For reading only, the damage is told in `integrity`.
 *
 * Errors: LIBRARY_IN_USE, LIBRARY_FROM_FUTURE, FILE_NOT_WRITABLE, DISK_FULL; when reading only, FILE_NOT_FOUND
 * where there is no library, FILE_NOT_READABLE where it may not be read, LIBRARY_CORRUPT where nothing of it can be.
 */
export function openDatabase(dir: string, options: OpenOptions): LibraryDatabase {
  const file = path.join(dir, NAME)
  try {
    return options.readOnly ? openForReading(dir, file, options) : openForWriting(dir, file, options)
  } catch (thrown) {
    throw databaseFailure(thrown, file)
  }
}

function openForReading(dir: string, file: string, { log, migrations = all }: OpenOptions): LibraryDatabase {
  checkReadable(dir, file)
  const db = new Database(file, { readonly: true, timeout: BUSY_MS })
  try {
    refuseFuture(db, migrations)
    const damage = findDamage(db, 'catalog')
    if (damage) log.error(`The library ${dir} is damaged: ${damage}`)
    if (versionOf(db) < migrations.length) {
      throw new LucidexError('LIBRARY_IN_USE', 'The library was made by an older version of Lucidex: open it for writing once', {
        path: dir,
      })
    }
    return {
      dir,
      db,
      readOnly: true,
      integrity: damage ? 'corrupt' : 'ok',
      repair: undefined,
      isChecked: false,
      bytes: () => bytesOf(file),
      failure: (thrown) => databaseFailure(thrown, file),
      onDamage: () => undefined,
      close: () => db.close(),
    }
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** SQLite says of either that it cannot be opened. */
function checkReadable(dir: string, file: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch (cause) {
    const isGone = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')
    if (isGone) throw new LucidexError('FILE_NOT_FOUND', `There is no library in ${dir}`, { path: dir, cause })
    throw new LucidexError('FILE_NOT_READABLE', 'No permission to read the library', { path: file, cause })
  }
}

function openForWriting(
  dir: string,
  file: string,
  { log, now = Date.now, migrations = all, checkedAtOnce = CHECKED_AT_ONCE }: OpenOptions,
): LibraryDatabase {
  mkdirSync(dir, { recursive: true })
  const unlock = lockLibrary(dir)
  let db: Database.Database | undefined
  try {
    finishRepair(file, now())
    const { damage, isChecked } = lookForDamage(file, migrations, checkedAtOnce)
    const repaired = damage === undefined ? undefined : repair(file, damage, { migrations, now: now(), log })
    rmSync(noteName(file), { force: true })
    const opened = (db = connect(file))
    migrate(opened, migrations, () => backUpNow(dir, opened, now()))
    let damagedSince = false
    let tell: (failure: LucidexError) => void = () => undefined
    return {
      dir,
      db: opened,
      readOnly: false,
      get integrity() {
        return damagedSince ? 'corrupt' : 'ok'
      },
      repair: repaired,
      isChecked,
      bytes: () => bytesOf(file),
      failure(thrown) {
        const failure = databaseFailure(thrown, file)
        if (failure instanceof LucidexError && failure.code === 'LIBRARY_CORRUPT' && !damagedSince) {
          damagedSince = true
          log.error(failure.message)
          noteDamage(file, failure.message)
          tell(failure)
        }
        return failure
      },
      onDamage: (listener) => (tell = listener),
      close() {
        if (opened.open) leaveWhole(opened)
        opened.close()
        unlock()
      },
    }
  } catch (thrown) {
    db?.close()
    unlock()
    throw thrown
  }
}

function connect(file: string): Database.Database {
  const db = new Database(file, { timeout: BUSY_MS })
  try {
    // So that the room of what was deleted can be given back bit by bit. Only heeded while the file is new.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('foreign_keys = ON')
    db.pragma('journal_mode = WAL')
    // In WAL mode a crash of the machine may lose the last moments, never the file's consistency.
    db.pragma('synchronous = NORMAL')
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** Where an earlier run noted that it met damage. */
const noteName = (file: string) => `${file}.suspect`

function noteDamage(file: string, message: string): void {
  try {
    writeFileSync(noteName(file), `${message}\n`)
  } catch {
    // The next run may meet it as well.
  }
}

/** What is wrong with the catalog, if anything. Changes nothing. Errors: LIBRARY_FROM_FUTURE. */
function lookForDamage(
  file: string,
  migrations: readonly Migration[],
  checkedAtOnce: number,
): { damage: string | undefined; isChecked: boolean } {
  const bytes = bytesOf(file)
  if (bytes === 0) {
    const isLost = listBackups(path.dirname(file)).length > 0
    return { damage: isLost ? (existsSync(file) ? 'it is empty' : 'it is gone') : undefined, isChecked: true }
  }
  const thorough = existsSync(noteName(file)) || isLogSuspect(`${file}-wal`)
  const isChecked = thorough || bytes <= checkedAtOnce
  const db = new Database(file, { readonly: true, timeout: BUSY_MS })
  try {
    refuseFuture(db, migrations)
    return { damage: findDamage(db, isChecked ? 'everything' : 'small', { thorough }), isChecked }
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    return { damage: (thrown as Error).message, isChecked }
  } finally {
    db.close()
  }
}

/** Without a log, as one file, a library can be read from where nothing can be written. Not while others read it. */
function leaveWhole(db: Database.Database): void {
  try {
    db.pragma('journal_mode = DELETE')
  } catch {
    // The log stays beside it, which is as good for all but that.
  }
}

function bytesOf(file: string): number {
  return sizeOf(file) + sizeOf(`${file}-wal`)
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
