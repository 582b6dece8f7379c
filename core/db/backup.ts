import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import type { Database } from 'better-sqlite3'
import { BULK, tablesOf } from './check.ts'
import { versionOf } from './migrate.ts'
import type { DatabaseThread } from './thread.ts'

/** Backups kept besides the newest one of every earlier version of the tables. */
const KEPT = 3

/**
 * A backup holds all that cannot be computed again from the pictures, and what makes computing the rest
 * quick: every table but thumbnails and vectors, without indexes. Its file is named
 * `catalog-<number>-v<version of the tables>-<date>-<checksum>.backup`.
 */
export interface Backup {
  file: string
  /** Grows with every backup: clocks are set back, numbers are not. */
  number: number
  version: number
  /** Milliseconds since 1970. */
  madeAt: number
  /** The first 16 hex digits of the file's SHA-256. */
  checksum: string
}

const NAME = /^catalog-(\d{6})-v(\d+)-(\d{4}-\d\d-\d\dT\d\d)(\d\d)(\d\dZ)-([0-9a-f]{16})\.backup$/

export function backupFolder(libraryDir: string): string {
  return path.join(libraryDir, 'backups')
}

/** Newest first. */
export function listBackups(libraryDir: string): Backup[] {
  const folder = backupFolder(libraryDir)
  return namesIn(folder)
    .flatMap((name) => {
      const [, number, version, hour, minute, second, checksum] = NAME.exec(name) ?? []
      if (checksum === undefined) return []
      return {
        file: path.join(folder, name),
        number: Number(number),
        version: Number(version),
        madeAt: Date.parse(`${hour}:${minute}:${second}`),
        checksum,
      }
    })
    .sort((a, b) => b.number - a.number)
}

/** Whether the file is, byte for byte, what was written. */
export function isWhole(backup: Backup): boolean {
  return checksumOf(backup.file) === backup.checksum
}

/** Backs up from a thread, while the library is in use. Errors: SQLite's and the file system's own. */
export async function backUp(libraryDir: string, db: Database, thread: DatabaseThread, now: number): Promise<void> {
  const version = versionOf(db)
  const begun = begin(libraryDir)
  try {
    await thread.run(...copying(db, begun))
    const file = await open(begun, 'r+')
    await file.sync().finally(() => file.close())
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(begun)) hash.update(chunk as Buffer)
    finish(libraryDir, { begun, version, checksum: brief(hash.digest('hex')), now })
  } catch (thrown) {
    await thread.run(`DETACH copy`).catch(() => undefined)
    rmSync(begun, { force: true })
    throw thrown
  }
}

/** The same at once, before the tables are changed. */
export function backUpNow(libraryDir: string, db: Database, now: number): void {
  const begun = begin(libraryDir)
  try {
    for (const sql of copying(db, begun)) {
      const statement = db.prepare(sql)
      if (statement.reader) statement.all()
      else statement.run()
    }
    const file = openSync(begun, 'r+')
    fsyncSync(file)
    closeSync(file)
    finish(libraryDir, { begun, version: versionOf(db), checksum: checksumOf(begun), now })
  } catch (thrown) {
    if (db.inTransaction) db.exec('ROLLBACK')
    if ((db.pragma('database_list') as { name: string }[]).some(({ name }) => name === 'copy')) db.exec('DETACH copy')
    rmSync(begun, { force: true })
    throw thrown
  }
}

/** An empty file to be written to. What a killed process left there is deleted. */
function begin(libraryDir: string): string {
  const begun = path.join(backupFolder(libraryDir), 'catalog.tmp')
  mkdirSync(path.dirname(begun), { recursive: true })
  writeFileSync(begun, '')
  return begun
}

/** The statements that copy the tables, as they are at one moment, into the file `target`. */
function copying(db: Database, target: string): string[] {
  const tables = tablesOf(db).filter((table) => !BULK.has(table))
  return [
    `ATTACH '${target.replaceAll("'", "''")}' AS copy`,
    // The file gets its name only when it is whole: a journal would protect nothing.
    `PRAGMA copy.journal_mode = OFF`,
    `PRAGMA copy.synchronous = OFF`,
    `BEGIN`,
    ...[...tables, 'sqlite_sequence'].map((table) => `CREATE TABLE copy.${copyName(table)} AS SELECT * FROM main.${table}`),
    `PRAGMA copy.user_version = ${versionOf(db)}`,
    `COMMIT`,
    `DETACH copy`,
  ]
}

/** A table's name in a backup: SQLite keeps names that begin with its own for itself. */
export function copyName(table: string): string {
  return table === 'sqlite_sequence' ? 'sequence' : table
}

/** Gives a written file its name, and throws away the backups that it makes superfluous. */
function finish(
  libraryDir: string,
  { begun, version, checksum, now }: { begun: string; version: number; checksum: string; now: number },
): void {
  const number = String((listBackups(libraryDir)[0]?.number ?? 0) + 1).padStart(6, '0')
  const date = new Date(now).toISOString().replace(/\.\d+/, '').replaceAll(':', '')
  renameSync(begun, path.join(backupFolder(libraryDir), `catalog-${number}-v${version}-${date}-${checksum}.backup`))
  const versions = new Set([version])
  for (const [at, old] of listBackups(libraryDir).entries()) {
    if (at >= KEPT && versions.has(old.version)) rmSync(old.file)
    versions.add(old.version)
  }
}

function checksumOf(file: string): string {
  return brief(createHash('sha256').update(readFileSync(file)).digest('hex'))
}

function brief(sha256: string): string {
  return sha256.slice(0, 16)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
