import { existsSync, fsyncSync, openSync, closeSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import type { Log } from '../deps.ts'
import { copyName, isWhole, listBackups, type Backup } from './backup.ts'
import { BULK, damageOf, isDamage, removeRows, tablesOf, type BrokenReference } from './check.ts'
import { migrateTo, versionOf, type Migration } from './migrate.ts'
import { fileQueries } from './queries/files.ts'
import { isUnitVector } from './queries/vectors.ts'

/** What was done about a damaged library. */
export interface Repair {
  /** What was found. */
  damage: string
  /** Where the damaged database lies now; null where there was none. */
  setAside: string | null
  /** The tables that the damaged database still had whole. */
  kept: string[]
  /** The date of the backup that the others are from, milliseconds since 1970; null where there was none that is whole. */
  backup: number | null
}

type Db = Database.Database

/** Complete, and about to take the damaged database's place. */
const rebuiltName = (file: string) => `${file}.rebuilt`

/**
 * Makes a new database at `file` out of what the damaged one there still has whole and what the newest
 * backup knows, and sets the damaged one aside under a name with the date. A table is taken over wholly or
 * not at all, so that no broken row gets in; thumbnails and vectors are taken over one by one, where they are
 * whole and their image is. What is missing then, the next indexing reads from the pictures.
 * A process killed in the midst of it leaves the damaged database as it is, and the next one begins again.
 */
export function repair(
  file: string,
  damage: string,
  { migrations, now, log }: { migrations: readonly Migration[]; now: number; log: Log },
): Repair {
  const begun = `${rebuiltName(file)}.tmp`
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(begun + suffix, { force: true })
  const damaged = openDamaged(file)
  const rebuilt = new Database(begun)
  try {
    rebuilt.pragma('auto_vacuum = INCREMENTAL')
    rebuilt.pragma('journal_mode = OFF')
    rebuilt.pragma('foreign_keys = OFF')
    const version = Math.min(damaged?.version ?? Infinity, migrations.length)
    const backup = listBackups(path.dirname(file)).find((backup) => backup.version <= version && isWhole(backup))
    rebuilt.transaction(() => {
      if (backup) fillFromBackup(rebuilt, backup, migrations)
      migrateTo(rebuilt, migrations, damaged?.version ?? Math.max(versionOf(rebuilt), 1))
    })()
    const kept = damaged ? rebuilt.transaction(() => takeOver(damaged.db, rebuilt))() : []
    rebuilt.transaction(() => {
      dropDangling(rebuilt)
      migrateTo(rebuilt, migrations, migrations.length)
      const files = fileQueries(rebuilt)
      for (const image of idsOf(rebuilt, 'image')) files.label(image)
    })()
    rebuilt.close()
    damaged?.db.close()
    flush(begun)
    renameSync(begun, rebuiltName(file))
    const setAside = putInPlace(file, now)
    log.error(`${file} was damaged (${damage}) and made anew; kept were ${kept.join(', ') || 'no tables'}`)
    return { damage, setAside, kept, backup: backup?.madeAt ?? null }
  } finally {
    rebuilt.close()
    damaged?.db.close()
  }
}

/** Ends a repair that was cut short between its last steps. */
export function finishRepair(file: string, now: number): void {
  if (existsSync(rebuiltName(file))) putInPlace(file, now)
}

/** Sets the database aside, which is never deleted, and gives its name to the new one. Returns where the old one lies. */
function putInPlace(file: string, now: number): string | null {
  let setAside: string | null = null
  if (existsSync(file)) {
    const date = new Date(now).toISOString().replace(/\.\d+/, '').replaceAll(':', '')
    setAside = `${file}.damaged-${date}`
    for (let copy = 2; existsSync(setAside); copy++) setAside = `${file}.damaged-${date}-${copy}`
    // The log first: without it the database is older, with another's it would be wrong.
    if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${setAside}-wal`)
    rmSync(`${file}-shm`, { force: true })
    renameSync(file, setAside)
  }
  // A vector's id may be given again: the graph over the old ones would mix them up. It is only a copy.
  for (const name of readdirSync(path.dirname(file))) {
    if (name.startsWith('vectors')) rmSync(path.join(path.dirname(file), name), { force: true })
  }
  renameSync(rebuiltName(file), file)
  return setAside
}

/** The damaged database, unless nothing of it can be read. */
function openDamaged(file: string): { db: Db; version: number } | undefined {
  if (!existsSync(file)) return undefined
  const db = new Database(file, { readonly: true })
  try {
    const version = versionOf(db)
    if (version > 0 && tablesOf(db).length > 0) return { db, version }
  } catch (thrown) {
    db.close()
    if (!isDamage(thrown)) throw thrown
    return undefined
  }
  db.close()
  return undefined
}

function fillFromBackup(rebuilt: Db, backup: Backup, migrations: readonly Migration[]): void {
  migrateTo(rebuilt, migrations, backup.version)
  const source = new Database(backup.file, { readonly: true })
  try {
    for (const table of tablesOf(rebuilt).filter((table) => !BULK.has(table))) copyTable(source, rebuilt, table)
    copySequence(source, rebuilt, copyName('sqlite_sequence'))
  } finally {
    source.close()
  }
}

/** Replaces what the backup had by what the damaged database still has whole. Returns the tables that it did so with. */
function takeOver(damaged: Db, rebuilt: Db): string[] {
  const tables = tablesOf(rebuilt)
  const kept = tables.filter((table) => !BULK.has(table) && damageOf(damaged, table, { thorough: true }) === undefined)
  for (const table of kept) {
    rebuilt.prepare(`DELETE FROM ${table}`).run()
    copyTable(damaged, rebuilt, table)
  }
  copySequence(damaged, rebuilt, 'sqlite_sequence')
  if (kept.includes('image')) {
    copyEach(damaged, rebuilt, 'thumbnail', idsOf(rebuilt, 'image'), isThumbnail)
    // An image without its vector is read again, and its thumbnail made with it.
    if (kept.includes('encoder')) copyEach(damaged, rebuilt, 'vector', idsOf(rebuilt, 'thumbnail'), (data) => isUnitVector(data))
  }
  // One of the two is older: whether they still belong together, only the files can tell.
  if (kept.includes('image') !== kept.includes('file')) {
    rebuilt.prepare(`UPDATE file SET state = 'pending' WHERE state = 'indexed'`).run()
  }
  return kept
}

/** The columns that both have: a backup may be of an earlier version, and what is computed cannot be written. */
function columnsOf(source: Db, target: Db, table: string): string {
  const names = (db: Db) => (db.pragma(`table_info('${table}')`) as { name: string }[]).map(({ name }) => name)
  const there = new Set(names(source))
  return names(target)
    .filter((name) => there.has(name))
    .join(', ')
}

function copyTable(source: Db, target: Db, table: string): void {
  const columns = columnsOf(source, target, table)
  if (columns === '') return
  const insert = inserting(target, table, columns)
  // 64 bits do not fit a number.
  for (const row of source.prepare(`SELECT ${columns} FROM ${table}`).safeIntegers().raw().iterate()) insert.run(...(row as unknown[]))
}

/** Copies the rows of these images that can be read and that `accepts` takes. */
function copyEach(
  source: Db,
  target: Db,
  table: 'thumbnail' | 'vector',
  images: readonly number[],
  accepts: (data: Buffer) => boolean,
): void {
  const columns = columnsOf(source, target, table)
  let read
  try {
    read = source.prepare(`SELECT ${columns}, data FROM ${table} WHERE image = ?`).raw()
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    return
  }
  const insert = inserting(target, table, columns)
  for (const image of images) {
    try {
      for (const row of read.all(image) as unknown[][]) {
        const data = row.pop()
        if (Buffer.isBuffer(data) && accepts(data)) insert.run(...row)
      }
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown
    }
  }
}

function inserting(target: Db, table: string, columns: string): Database.Statement<unknown[]> {
  return target.prepare(`INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')})`)
}

/** Ids that were once given are never given again. */
function copySequence(source: Db, target: Db, from: string): void {
  let rows: { name: string; seq: number }[]
  try {
    rows = source.prepare<[], { name: string; seq: number }>(`SELECT name, seq FROM ${from}`).all()
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    return
  }
  const now = target.prepare<[string], number>(`SELECT seq FROM sqlite_sequence WHERE name = ?`).pluck()
  const raise = target.prepare(`UPDATE sqlite_sequence SET seq = ? WHERE name = ?`)
  const insert = target.prepare(`INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)`)
  for (const { name, seq } of rows) {
    const known = now.get(name)
    if (known === undefined) insert.run(seq, name)
    else if (known < seq) raise.run(seq, name)
  }
}

/** Tables of different days: rows go whose counterpart is not there. */
function dropDangling(db: Db): void {
  for (;;) {
    const broken = db.pragma('foreign_key_check') as BrokenReference[]
    if (broken.length === 0) return
    removeRows(db, broken)
  }
}

function idsOf(db: Db, table: 'image' | 'thumbnail'): number[] {
  return db.prepare<[], number>(`SELECT rowid FROM ${table}`).pluck().all()
}

/** A WebP file says how long it is (RFC 9649, 2.4). */
function isThumbnail(data: Buffer): boolean {
  return data.length > 12 && data.toString('latin1', 0, 4) === 'RIFF' && data.readUInt32LE(4) + 8 === data.length
}

function flush(file: string): void {
  const handle = openSync(file, 'r+')
  fsyncSync(handle)
  closeSync(handle)
}
