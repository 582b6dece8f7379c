import type { Database } from 'better-sqlite3'
import type { Log } from '../deps.ts'
import { DatabaseThread } from './thread.ts'

/** The log is moved no more often than this, in milliseconds. */
const INTERVAL_MS = 2000
/** A hundred megabytes: a limit, should the thread not keep up. */
const MOST_PAGES = 25_000

/**
 * Moves the write-ahead log into the database from a thread of its own. SQLite does it within a commit by
 * itself and waits for the disk: on a slow disk that alone holds the engine's loop for longer than it may be
 * held. Readers and the writer go on meanwhile (sqlite.org/wal.html, "Checkpointing").
 */
export class Checkpointer {
  readonly #db: Database
  readonly #log: Log
  readonly #thread: DatabaseThread
  #busy = false
  #last = -Infinity

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#log = log
    this.#thread = new DatabaseThread(db.name)
  }

  /** To be called while and after much is written. Returns at once. */
  checkpointSoon(): void {
    if (this.#busy || performance.now() - this.#last < INTERVAL_MS) return
    this.#busy = true
    this.#db.pragma(`wal_autocheckpoint = ${MOST_PAGES}`)
    this.#thread
      .run('PRAGMA wal_checkpoint(PASSIVE)')
      // Tried again later, as on a full disk; at the limit the engine does it itself.
      .catch((thrown: Error) => this.#log.warn(`The library's log could not be written back: ${thrown.message}`))
      .finally(() => {
        this.#busy = false
        this.#last = performance.now()
      })
  }

  async close(): Promise<void> {
    await this.#thread.close()
  }
}
