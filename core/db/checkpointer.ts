import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import type { Log } from '../deps.ts'

/** The log is moved no more often than this, in milliseconds. */
const INTERVAL_MS = 2000
/** SQLite's own setting: it moves the log within a commit when it has so many pages. */
const USUAL_PAGES = 1000
/** A hundred megabytes: a limit, should the thread not keep up. */
const MOST_PAGES = 25_000

/** Given as text, so that it runs from sources and from any bundle alike. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const db = require(workerData.sqlite)(workerData.file, { timeout: 0, fileMustExist: true })
parentPort.on('message', (message) => {
  if (message === 'close') {
    db.close()
    parentPort.close()
  } else {
    db.pragma('wal_checkpoint(PASSIVE)')
    parentPort.postMessage('done')
  }
})`

/**
 * Moves the write-ahead log into the database from a thread of its own. SQLite does it within a commit by
 * itself and waits for the disk: on a slow disk that alone holds the engine's loop for longer than it may be
 * held. Readers and the writer go on meanwhile (sqlite.org/wal.html, "Checkpointing").
 */
export class Checkpointer {
  readonly #db: Database
  readonly #log: Log
  #worker: Worker | undefined
  #busy = false
  #failed = false
  #last = -Infinity

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#log = log
  }

  /** To be called while and after much is written. Returns at once. */
  checkpointSoon(): void {
    if (this.#busy || this.#failed || performance.now() - this.#last < INTERVAL_MS) return
    this.#busy = true
    this.#worker ??= this.#start()
    this.#worker.postMessage('checkpoint')
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker || this.#failed) return
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    worker.postMessage('close')
    await exit
  }

  #start(): Worker {
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3')
    const worker = new Worker(PROGRAM, { eval: true, workerData: { sqlite, file: this.#db.name } })
    worker.unref()
    worker.on('message', () => {
      this.#busy = false
      this.#last = performance.now()
    })
    worker.on('error', (error) => {
      this.#failed = true
      this.#log.warn(`The library's log is written back by the engine itself: ${error.message}`)
      this.#db.pragma(`wal_autocheckpoint = ${USUAL_PAGES}`)
    })
    this.#db.pragma(`wal_autocheckpoint = ${MOST_PAGES}`)
    return worker
  }
}
