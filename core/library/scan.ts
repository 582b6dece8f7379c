import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LucidexError, type ErrorCode } from '../contract/index.ts'
import type { DiskFile, FileRow } from '../db/queries/files.ts'
import type { FolderRow } from '../db/index.ts'
import { READABLE_EXTENSIONS } from '../images/formats.ts'
import type { IndexContext, IndexRun } from './context.ts'
import { walk, type WalkProblem } from './walk.ts'

/** Rows looked through before the event loop gets a turn. */
const PAGE = 500

/** These failures lie around the file, not in its bytes: worth another try although it has not changed. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['FILE_NOT_READABLE', 'INTERNAL'])

export function isPicture(name: string): boolean {
  return READABLE_EXTENSIONS.has(path.extname(name).toLowerCase())
}

/**
 * Compares a folder on the disk with what the catalog knows of it, by size and time of change: new and
 * changed files become `pending`, files that are gone `missing`; nothing is decoded and nothing forgotten.
 * Returns whether the folder is there; if not, it is reported and all its files are greyed.
 */
export async function scanFolder(folder: FolderRow, context: IndexContext, run: IndexRun): Promise<boolean> {
  const { db, files, folders } = context
  const { job, report } = run
  const seen = new Set<number>()
  const now = context.now()

  function compare(file: DiskFile): void {
    report.scanned++
    const row = files.byPath(file.path)
    if (!row) {
      seen.add(files.insert(folder.id, file, now))
      return
    }
    seen.add(row.id)
    if (row.size !== file.size || row.mtime !== file.mtime) {
      files.change(row.id, folder.id, file, now)
      return
    }
    if (row.folder !== folder.id) files.setFolder(row.id, folder.id)
    if (row.error_code !== null && !PASSING.has(row.error_code)) {
      if (row.state !== 'failed') files.setState(row.id, 'failed', now)
      report.failed.push({ path: row.path, code: row.error_code, message: row.error_message ?? '' })
    } else if (row.image === null) {
      if (row.state !== 'pending') files.setState(row.id, 'pending', now)
    } else if (row.state !== 'pending') {
      report.unchanged++
      if (row.state !== 'indexed') files.setState(row.id, 'indexed', now)
    }
    if (row.image !== null && (row.folder !== folder.id || row.state === 'missing')) files.label(row.image)
  }

  function note(problem: WalkProblem): void {
    const row = files.byPath(problem.path)
    const id = row?.id ?? files.insertProblem(folder.id, problem.path, problem.name, problem.code, problem.message, now)
    if (row) files.setFailed(row, problem.code, problem.message, now)
    seen.add(id)
    report.failed.push({ path: problem.path, code: problem.code, message: problem.message })
  }

  const takePage = db.transaction((found: DiskFile[], problems: WalkProblem[]) => {
    for (const file of found) compare(file)
    for (const problem of problems) note(problem)
  })

  try {
    for await (const page of walk(folder.path, isPicture)) {
      takePage(page.files, page.problems)
      job.progress({ current: page.files.at(-1)?.name ?? null, failed: report.failed.length })
      await job.checkpoint()
    }
    folders.setOffline(folder.id, false)
  } catch (thrown) {
    if (!(thrown instanceof LucidexError)) throw thrown
    // What was seen before it went away is gone as well.
    await greyFolder(folder, thrown, context, run)
    return false
  }
  await greyMissing(folder, context, run, (row) => seen.has(row.id))
  return true
}

/** A folder that is not there: reported once, its files greyed, nothing deleted. */
export async function greyFolder(folder: FolderRow, reason: LucidexError, context: IndexContext, run: IndexRun): Promise<void> {
  const { report } = run
  context.folders.setOffline(folder.id, true)
  const inFolder = folder.path + path.sep
  report.failed = report.failed.filter((failure) => !failure.path.startsWith(inFolder))
  report.failed.push({ path: folder.path, code: reason.code, message: reason.message })
  await greyMissing(folder, context, run, () => false)
}

async function greyMissing(
  folder: FolderRow,
  context: IndexContext,
  { greyed }: IndexRun,
  isThere: (row: FileRow) => boolean,
): Promise<void> {
  const { db, files } = context
  const grey = db.transaction((rows: FileRow[]) => {
    for (const row of rows) {
      if (row.state === 'missing' || isThere(row)) continue
      if (isNote(row)) {
        files.remove(row)
        continue
      }
      files.setState(row.id, 'missing', context.now())
      if (row.image !== null) files.label(row.image)
      greyed.add(row.id)
    }
  })
  for (let last = 0; ;) {
    const rows = files.inFolder(folder.id, last, PAGE)
    if (rows.length === 0) break
    grey(rows)
    last = rows.at(-1)!.id
    await nextTurn()
  }
  context.changed()
}

/** A row that only says that a path could not be looked into: it goes with its cause. */
function isNote(row: FileRow): boolean {
  return row.image === null && (row.error_code === 'NAME_NOT_UTF8' || row.error_code === 'FOLDER_NOT_READABLE')
}
