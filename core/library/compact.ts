import { setImmediate as nextTurn } from 'node:timers/promises'
import { databaseFailure } from '../db/failures.ts'
import type { LibraryDatabase } from '../db/open.ts'
import { DatabaseThread } from '../db/thread.ts'
import type { JobContext } from '../jobs/types.ts'

/** Pages moved before the event loop gets a turn: a millisecond or two. */
const SLICE_PAGES = 64

/**
 * Gives the unused pages of a database back to the disk, in slices on the engine's own connection, so that
 * everything goes on meanwhile; it needs no room of its own. (A whole `VACUUM` would lock the library for
 * seconds and need as much room again.) Cancelled, what was given back stays so. Errors: DISK_FULL, LIBRARY_CORRUPT.
 */
export async function compactDatabase({ db }: LibraryDatabase, job: JobContext): Promise<void> {
  const free = () => db.pragma('freelist_count', { simple: true }) as number
  const total = free()
  job.progress({ done: 0, total })
  try {
    for (let left = total; left > 0;) {
      await job.checkpoint()
      db.exec(`PRAGMA incremental_vacuum(${SLICE_PAGES})`)
      const now = free()
      // A library that was made before Lucidex thought of this keeps its room for what comes.
      if (now >= left) break
      left = now
      job.progress({ done: total - left })
      await nextTurn()
    }
    // The file shrinks when the log is moved into it.
    const thread = new DatabaseThread(db.name)
    await thread.run('PRAGMA wal_checkpoint(TRUNCATE)').finally(() => thread.close())
  } catch (thrown) {
    throw databaseFailure(thrown, db.name)
  }
}
