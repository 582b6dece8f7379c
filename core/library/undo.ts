import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { LucidexError, type Undoable } from '../contract/index.ts'
import type { FileQueries, FolderQueries, FolderRow, RemovalQueries } from '../db/index.ts'

/** Rows changed in one transaction, before the event loop gets a turn. */
const PAGE = 250
/** So long can be undone what was taken out, in milliseconds: 30 days. */
export const UNDO_MS = 30 * 24 * 3_600_000

interface Tables {
  db: Database
  folders: FolderQueries
  files: FileQueries
  removals: RemovalQueries
}

export interface Removed {
  count: number
  undoId: number | null
}

export function undoables({ removals }: Pick<Tables, 'removals'>): Undoable[] {
  return removals.all().map(({ id, kind, folder_path, count, made_at }) => ({ id, kind, folder: folder_path, count, at: made_at }))
}

/**
 * Deletes the rows of missing files of these folders; of the others' images nothing changes. Copies of the
 * rows are kept, and with them the images, so that it can be undone.
 */
export async function forgetMissing(
  wanted: readonly FolderRow[],
  scope: number | null,
  { db, files, removals }: Tables,
  now: number,
): Promise<Removed> {
  const undoId = removals.insert('forget-missing', scope, 0, now)
  const forget = db.transaction((folder: number, done: number) => {
    const rows = files.missing(folder, PAGE)
    for (const row of rows) {
      removals.keep(undoId, row.id)
      files.remove(row)
    }
    removals.setCount(undoId, done + rows.length)
    return rows.length
  })
  let count = 0
  for (const { id } of wanted) {
    for (let forgot = forget(id, count); forgot > 0; forgot = forget(id, count)) {
      count += forgot
      await nextTurn()
    }
  }
  if (count > 0) return { count, undoId }
  removals.remove(undoId)
  return { count, undoId: null }
}

/** Lists failed files no more. */
export function ignoreFiles(fileIds: readonly number[], { db, removals }: Pick<Tables, 'db' | 'removals'>, now: number): Removed {
  return db.transaction((): Removed => {
    const undoId = removals.insert('ignore', null, 0, now)
    const count = fileIds.filter((id) => removals.ignore(undoId, id)).length
    if (count > 0) removals.setCount(undoId, count)
    else removals.remove(undoId)
    return { count, undoId: count > 0 ? undoId : null }
  })()
}

/** Puts forgotten files back as missing ones: the next indexing sees whether they are there. A path that is known again meanwhile is left as it is. */
export async function recallForgotten(removal: number, { db, files, removals }: Tables, now: number): Promise<void> {
  const recall = db.transaction(() => {
    const rows = removals.forgotten(removal, PAGE)
    for (const row of rows) {
      if (!files.byPath(row.path)) files.restore(row, 'missing', now)
      removals.drop(row.id)
    }
    if (rows.length === 0) removals.remove(removal)
    return rows.length
  })
  while (recall() > 0) await nextTurn()
}

/**
 * Gives up what was taken out at `before` or earlier: it cannot be undone any more, and the next purge
 * deletes it. Files that were ignored stay ignored.
 */
export async function expire(before: number, { db, removals }: Pick<Tables, 'db' | 'removals'>): Promise<void> {
  const clear = db.transaction((removal: number) => {
    const rows = removals.forgotten(removal, PAGE)
    for (const row of rows) removals.drop(row.id)
    if (rows.length === 0) removals.remove(removal)
    return rows.length
  })
  for (let removal = removals.oldest(before); removal !== undefined; removal = removals.oldest(before)) {
    while (clear(removal) > 0) await nextTurn()
  }
}

export function noRemoval(id: number): LucidexError {
  return new LucidexError('ITEM_NOT_FOUND', `There is nothing under ${id} that could be undone: it was undone or deleted meanwhile`)
}
