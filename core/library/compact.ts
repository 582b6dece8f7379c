import { freePages, giveBackRoom } from '../db/index.ts'
import { databaseFailure } from '../db/failures.ts'
import type { LibraryDatabase } from '../db/open.ts'
import { DatabaseThread } from '../db/thread.ts'
import type { JobContext } from '../jobs/types.ts'

/** Gives the unused pages of a database back to the disk. Cancelled, what was given back stays so. Errors: DISK_FULL, LIBRARY_CORRUPT. */
export async function compactDatabase({ db }: LibraryDatabase, job: JobContext): Promise<void> {
  const total = freePages(db)
  job.progress({ done: 0, total })
  try {
    await giveBackRoom(db, async (left) => {
      await job.checkpoint()
      job.progress({ done: total - left })
      return true
    })
    job.progress({ done: total - freePages(db) })
    // The file shrinks when the log is moved into it.
    const thread = new DatabaseThread(db.name)
    await thread.run('PRAGMA wal_checkpoint(TRUNCATE)').finally(() => thread.close())
  } catch (thrown) {
    throw databaseFailure(thrown, db.name)
  }
}
