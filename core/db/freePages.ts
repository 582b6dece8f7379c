import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'

/** Pages moved before the event loop gets a turn: a millisecond or two. */
const SLICE_PAGES = 64

/** Pages of the database that hold nothing. */
export function freePages(db: Database): number {
  return db.pragma('freelist_count', { simple: true }) as number
}

/**
 * Gives the room of what was deleted back to the disk, in slices on this connection, so that everything goes on
 * meanwhile; it needs no room of its own. (A whole `VACUUM` would lock the library for seconds and need as much
 * room again.) `beforeSlice` is told how many free pages are left, and ends it by answering false or by throwing.
 * Errors: SQLite's own.
 */
export async function giveBackRoom(db: Database, beforeSlice: (left: number) => boolean | Promise<boolean>): Promise<void> {
  for (let left = freePages(db); left > 0 && (await beforeSlice(left));) {
    db.exec(`PRAGMA incremental_vacuum(${SLICE_PAGES})`)
    const now = freePages(db)
    // A library of before this was thought of keeps its room for what comes.
    if (now >= left) return
    left = now
    await nextTurn()
  }
}
