import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { LucidexError, type LibraryFile } from '../contract/index.ts'
import { databaseFailure } from '../db/failures.ts'
import { migrate, migrateTo, refuseFuture, versionOf } from '../db/migrate.ts'
import { migrations } from '../db/migrations/index.ts'
import { DatabaseThread } from '../db/thread.ts'
import { readFailure } from '../images/failures.ts'

/**
 * An exported library is an SQLite database with the tables of the catalog and one more, `export`, of one row.
 * SQLite's own field for what a database belongs to says "LCDX" (sqlite.org/pragma.html#pragma_application_id).
 */
const APPLICATION_ID = 0x4c434458
const SQLITE_HEADER = 'SQLite format 3\0'
const ABOUT = `CREATE TABLE export (version TEXT NOT NULL, exported_at INTEGER NOT NULL, separator TEXT NOT NULL) STRICT`

/** What an exported library says of itself. */
export interface About {
  /** Of Lucidex. */
  version: string
  exported_at: number
  /** Between the folders of a path, where it was made. */
  separator: '/' | '\\'
}

/** Makes the file with its empty tables, to be filled through an SQLite connection. */
export function createExportFile(file: string, about: About): void {
  const db = new Database(file)
  try {
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    db.transaction(() => {
      migrateTo(db, migrations, migrations.length)
      db.exec(ABOUT)
      db.prepare(`INSERT INTO export VALUES (@version, @exported_at, @separator)`).run(about)
    })()
    db.pragma(`application_id = ${APPLICATION_ID}`)
  } finally {
    db.close()
  }
}

/** An exported library, opened for reading in a thread of its own. */
export interface ExportFile {
  about: About
  thread: DatabaseThread
  close(): Promise<void>
}

/**
 * Opens an exported library. It may come from anywhere, so nothing of it is believed that was not looked at:
 * that it is one, that its version is known, that SQLite finds it whole, that it has tables and indexes and
 * no programs (views and triggers). One of an earlier version is brought up to date in a temporary copy.
 * The file itself is never written.
 * Errors: FILE_NOT_FOUND, FILE_NOT_READABLE, FORMAT_UNKNOWN, LIBRARY_CORRUPT, LIBRARY_FROM_FUTURE, DISK_FULL.
 */
export async function openExportFile(file: string): Promise<ExportFile> {
  const version = await identify(file)
  const folder = version < migrations.length ? await mkdtemp(path.join(tmpdir(), 'lucidex-import-')) : undefined
  const remove = () => (folder === undefined ? Promise.resolve() : rm(folder, { recursive: true, force: true }))
  const readable = folder === undefined ? file : path.join(folder, 'library.lucidex')
  const thread = new DatabaseThread(readable)
  const close = async () => {
    await thread.close()
    await remove()
  }
  try {
    if (folder !== undefined) {
      await copyFile(file, readable)
      await checkWhole(thread, file)
      bringUpToDate(readable)
    } else {
      await checkWhole(thread, file)
    }
    const [about] = await thread.run(`SELECT * FROM export`)
    if (!about) throw new LucidexError('LIBRARY_CORRUPT', 'The file does not say what it is', { path: file })
    return { about: about as unknown as About, thread, close }
  } catch (thrown) {
    await close()
    throw databaseFailure(thrown, file)
  }
}

/** What an exported library holds, and which of its folders are here. `encoder`: the model hash of the serving one. */
export async function inspectExportFile(file: string, encoder: string | null): Promise<LibraryFile> {
  const { about, thread, close } = await openExportFile(file)
  try {
    const folders = (await thread.run(
      `SELECT path, (SELECT COUNT(*) FROM file WHERE folder = d.id) AS files FROM folder d ORDER BY path`,
    )) as { path: string; files: number }[]
    const [counts] = (await thread.run(`SELECT COUNT(*) AS images FROM image`)) as { images: number }[]
    const encoders = await thread.run(`SELECT hash FROM encoder WHERE id IN (SELECT encoder FROM vector)`)
    return {
      path: file,
      bytes: (await stat(file)).size,
      exportedAt: about.exported_at,
      version: about.version,
      images: counts!.images,
      sameEncoder: encoders.some(({ hash }) => hash === encoder),
      folders: await Promise.all(folders.map(async (folder) => ({ ...folder, found: await isFolder(folder.path) }))),
    }
  } finally {
    await close()
  }
}

export async function isFolder(folder: string): Promise<boolean> {
  if (!path.isAbsolute(folder)) return false
  return stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  )
}

/** The version of the file's tables, by its header alone (sqlite.org/fileformat2.html, "The Database Header"). */
async function identify(file: string): Promise<number> {
  const header = Buffer.alloc(100)
  try {
    const handle = await open(file, 'r')
    try {
      const { bytesRead } = await handle.read(header, 0, header.length, 0)
      if (bytesRead < header.length || header.toString('latin1', 0, 16) !== SQLITE_HEADER || header.readUInt32BE(68) !== APPLICATION_ID) {
        throw new LucidexError('FORMAT_UNKNOWN', 'This is not a library that Lucidex exported', { path: file })
      }
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    throw readFailure(thrown, file)
  }
  const version = header.readUInt32BE(60)
  if (version > migrations.length) {
    throw new LucidexError(
      'LIBRARY_FROM_FUTURE',
      `This library was exported by a newer version of Lucidex (${version}; this one knows ${migrations.length})`,
      { path: file, details: { version, known: migrations.length } },
    )
  }
  return version
}

async function checkWhole(thread: DatabaseThread, file: string): Promise<void> {
  await thread.run(`PRAGMA trusted_schema = OFF`, `PRAGMA query_only = ON`)
  const programs = await thread.run(`SELECT name FROM sqlite_schema WHERE type NOT IN ('table', 'index')`)
  if (programs.length > 0) throw new LucidexError('LIBRARY_CORRUPT', 'The file holds more than a library', { path: file })
  const [found] = await thread.run(`PRAGMA quick_check(1)`)
  const said = String(Object.values(found ?? {})[0])
  if (said !== 'ok') throw new LucidexError('LIBRARY_CORRUPT', `The file is damaged: ${said}`, { path: file })
}

function bringUpToDate(file: string): void {
  const db = new Database(file)
  try {
    refuseFuture(db, migrations)
    if (versionOf(db) < migrations.length) migrate(db, migrations, () => undefined)
  } finally {
    db.close()
  }
}
