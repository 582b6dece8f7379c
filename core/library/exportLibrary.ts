import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Database } from 'better-sqlite3'
import { LucidexError, type ExportReport } from '../contract/index.ts'
import { databaseFailure } from '../db/failures.ts'
import { DatabaseThread } from '../db/thread.ts'
import { exists, writeAtomic } from '../images/files.ts'
import type { JobContext } from '../jobs/types.ts'
import { createExportFile } from './exportFile.ts'

/** Images copied in one statement: with their thumbnails some 8 MB. */
const STEP = 500

/**
 * Writes the library into one file: its folders, files, images, thumbnails, vectors, decisions and settings,
 * as they are at one moment, while it is in use. What was taken out of the library is left out. The pictures
 * themselves are not in it. Cancelled, or on a full disk, nothing is left behind.
 * Errors: FILE_EXISTS, FILE_NOT_WRITABLE, DISK_FULL, LIBRARY_CORRUPT.
 */
export async function exportLibrary(
  { path: target, overwrite }: { path: string; overwrite: boolean },
  { db, version, now }: { db: Database; version: string; now: () => number },
  job: JobContext,
): Promise<ExportReport> {
  const file = path.resolve(target)
  if (!overwrite && (await exists(file))) throw new LucidexError('FILE_EXISTS', 'The file is there already', { path: file })
  let counts = { folders: 0, files: 0, images: 0 }
  await writeAtomic(file, { overwrite }, async (temporary) => {
    createExportFile(temporary, { version, exported_at: now(), separator: path.sep })
    counts = await fill(temporary, db, job).catch((thrown: unknown) => {
      throw databaseFailure(thrown, file)
    })
  })
  return { path: file, bytes: (await stat(file)).size, ...counts }
}

async function fill(file: string, db: Database, job: JobContext): Promise<{ folders: number; files: number; images: number }> {
  const thread = new DatabaseThread(db.name)
  const columns = (table: string) => (db.pragma(`table_info('${table}')`) as { name: string }[]).map(({ name }) => name).join(', ')
  const copy = (table: string, where = '1') =>
    thread.run(`INSERT INTO out.${table} (${columns(table)}) SELECT ${columns(table)} FROM main.${table} AS t WHERE ${where}`)
  const known = (column: string) => `${column} IN (SELECT id FROM out.image)`
  try {
    await thread.run(
      `PRAGMA foreign_keys = OFF`,
      `ATTACH '${file.replaceAll("'", "''")}' AS out`,
      `PRAGMA out.journal_mode = OFF`,
      `PRAGMA out.synchronous = OFF`,
      // Everything is read as it is now.
      `BEGIN`,
    )
    await copy('folder', 'removed_at IS NULL')
    await copy('file', 'folder IN (SELECT id FROM out.folder)')
    await copy('setting')
    await copy('encoder')
    const [{ total, last }] = (await thread.run(
      `SELECT COUNT(*) AS total, COALESCE(MAX(id), 0) AS last FROM main.image WHERE id IN (SELECT image FROM out.file)`,
    )) as [{ total: number; last: number }]
    job.progress({ done: 0, total })
    let done = 0
    for (let after = 0; after < last; after += STEP) {
      await job.checkpoint()
      const range = (column: string) => `${column} > ${after} AND ${column} <= ${after + STEP}`
      await copy('image', `${range('id')} AND EXISTS (SELECT 1 FROM out.file f WHERE f.image = t.id)`)
      await copy('thumbnail', `${range('image')} AND ${known('image')}`)
      await copy('vector', `${range('image')} AND ${known('image')}`)
      const [{ copied }] = (await thread.run(`SELECT COUNT(*) AS copied FROM out.image WHERE ${range('id')}`)) as [{ copied: number }]
      done += copied
      job.progress({ done })
    }
    await copy('decision', `${known('a')} AND ${known('b')}`)
    const [counts] = (await thread.run(
      `SELECT (SELECT COUNT(*) FROM out.folder) AS folders, (SELECT COUNT(*) FROM out.file) AS files, ${total} AS images`,
    )) as [{ folders: number; files: number; images: number }]
    await thread.run(`COMMIT`, `DETACH out`)
    return counts
  } finally {
    // Closing the connection undoes what is not committed.
    await thread.close()
  }
}
