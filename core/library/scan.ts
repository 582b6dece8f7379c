import { stat } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LucidexError, type ErrorCode } from '../contract/index.ts'
import type { DiskFile, FileRow } from '../db/queries/files.ts'
import type { FolderRow } from '../db/index.ts'
import { READABLE_EXTENSIONS } from '../images/formats.ts'
import type { IndexContext, IndexRun } from './context.ts'
import { ignoring, type IsIgnored } from './ignore.ts'
import { walk, type WalkProblem } from './walk.ts'

/** Rows looked through before the event loop gets a turn. */
const PAGE = 500

/** These failures lie around the file, not in its bytes: worth another try although it has not changed. */
export const PASSING: ReadonlySet<ErrorCode> = new Set(['FILE_NOT_READABLE', 'INTERNAL'])

export function isPicture(name: string): boolean {
  return READABLE_EXTENSIONS.has(path.extname(name).toLowerCase())
}

/**
 * Compares a folder on the disk with what the catalog knows of it, by size, time of modification and `ctime`,
 * each taken as different whether it is later or earlier: new and changed files become `pending`, files that
 * are gone `missing`; nothing is decoded and nothing forgotten. Files that the folder's patterns now leave out
 * are taken out of the library. Returns whether the folder is there; if not, it is reported and all its files
 * are greyed.
 *
 * What changes a file's bytes and puts back all three goes unseen, as does any change at all where a file
 * system keeps no `ctime` and the other two were put back: that is for the job `verify`.
 */
export async function scanFolder(folder: FolderRow, context: IndexContext, run: IndexRun): Promise<boolean> {
  const { db, files, folders } = context
  const isIgnored = ignoring(folder.path, folder.ignore)
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
    if (row.size !== file.size || row.mtime !== file.mtime || (row.ctime ?? file.ctime) !== file.ctime) {
      files.change(row.id, folder.id, file, now)
      return
    }
    if (row.ctime === null || row.inode !== file.inode) files.setIdentity(row.id, file)
    if (row.folder !== folder.id) files.setFolder(row.id, folder.id)
    if (row.error_code !== null && !PASSING.has(row.error_code)) {
      if (row.state !== 'failed') files.setState(row.id, 'failed', now)
      if (!row.ignored) report.failed.push({ path: row.path, code: row.error_code, message: row.error_message ?? '' })
    } else if (row.image === null || row.error_code !== null) {
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
    if (row) files.setUnreadable(row, problem.code, problem.message, now)
    seen.add(id)
    report.failed.push({ path: problem.path, code: problem.code, message: problem.message })
  }

  const takePage = db.transaction((found: DiskFile[], problems: WalkProblem[]) => {
    for (const file of found) compare(file)
    for (const problem of problems) note(problem)
  })

  try {
    const device = await deviceOf(folder.path)
    for await (const page of walk(folder.path, { accepts: isPicture, isIgnored })) {
      takePage(page.files, page.problems)
      job.progress({ current: page.files.at(-1)?.name ?? null, failed: report.failed.length })
      await job.checkpoint()
    }
    if (seen.size === 0 && folder.device !== null && device !== folder.device && files.countInFolder(folder.id) > 0) {
      throw new LucidexError('FOLDER_OFFLINE', 'The folder is empty and not on the drive it was on: that drive may be absent', {
        path: folder.path,
      })
    }
    folders.setOffline(folder.id, false)
    if (seen.size > 0 && device !== folder.device) folders.setDevice(folder.id, device)
  } catch (thrown) {
    if (!(thrown instanceof LucidexError)) throw thrown
    // What was seen before it went away is gone as well.
    await greyFolder(folder, thrown, context, run)
    return false
  }
  if (files.countInFolder(folder.id) > seen.size) await greyMissing(folder, context, run, { isThere: (row) => seen.has(row.id), isIgnored })
  return true
}

/** The number of the file system that a folder lies on; null when it is not to be had. */
async function deviceOf(folder: string): Promise<number | null> {
  const info = await stat(folder).catch(() => null)
  return info !== null && Number.isSafeInteger(info.dev) ? info.dev : null
}

/** A folder that is not there: reported once, its files greyed, nothing deleted. */
export async function greyFolder(folder: FolderRow, reason: LucidexError, context: IndexContext, run: IndexRun): Promise<void> {
  const { report } = run
  context.folders.setOffline(folder.id, true)
  const inFolder = folder.path + path.sep
  report.failed = report.failed.filter((failure) => !failure.path.startsWith(inFolder))
  report.failed.push({ path: folder.path, code: reason.code, message: reason.message })
  await greyMissing(folder, context, run, { isThere: () => false })
}

async function greyMissing(
  folder: FolderRow,
  context: IndexContext,
  { greyed, report }: IndexRun,
  { isThere, isIgnored }: { isThere(row: FileRow): boolean; isIgnored?: IsIgnored },
): Promise<void> {
  const { db, files } = context
  const grey = db.transaction((rows: FileRow[]) => {
    for (const row of rows) {
      if (isThere(row)) continue
      if (isNote(row) || isIgnored?.(row.path, 'file')) {
        files.remove(row)
        if (!isNote(row)) report.removed++
        continue
      }
      if (row.state === 'missing') continue
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
export function isNote(row: FileRow): boolean {
  return row.image === null && (row.error_code === 'NAME_NOT_UTF8' || row.error_code === 'FOLDER_NOT_READABLE')
}
