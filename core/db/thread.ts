import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'

/** Given as text, so that it runs from sources and from any bundle alike. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const db = require(workerData.sqlite)(workerData.file, { timeout: 1000, fileMustExist: true })
parentPort.on('message', (statements) => {
  if (statements === 'close') {
    db.close()
    parentPort.close()
    return
  }
  try {
    let rows = []
    for (const sql of statements) {
      const statement = db.prepare(sql)
      if (statement.reader) rows = statement.all()
      else statement.run()
    }
    parentPort.postMessage({ rows })
  } catch ({ message, code }) {
    if (db.inTransaction) db.exec('ROLLBACK')
    parentPort.postMessage({ error: { message, code } })
  }
})`

interface Waiting {
  resolve(rows: Record<string, unknown>[]): void
  reject(reason: Error): void
}

/**
 * A second connection to a database, in a thread of its own: for statements that wait for the disk or take
 * seconds, which must not hold the engine's loop. The thread begins with the first of them.
 */
export class DatabaseThread {
  readonly #file: string
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined

  constructor(file: string) {
    this.#file = file
  }

  /** Runs statements in their order; answers the rows of the last one that has any. Errors: SQLite's own. */
  run(...statements: string[]): Promise<Record<string, unknown>[]> {
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      worker.ref()
      worker.postMessage(statements)
    })
  }

  /** When all statements are done. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    worker.ref()
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close')
    await exit
  }

  /** Without waiting for what runs: the process is free to end. Only for statements that write nothing. */
  abandon(): void {
    void this.#worker?.terminate()
    this.#worker?.unref()
    this.#stop(new Error('The thread was abandoned'))
  }

  #start(): Worker {
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3')
    const worker = new Worker(PROGRAM, { eval: true, workerData: { sqlite, file: this.#file } })
    worker.on('message', ({ rows, error }: { rows?: Record<string, unknown>[]; error?: { message: string; code: string } }) => {
      const next = this.#waiting.shift()
      if (this.#waiting.length === 0) worker.unref()
      if (error) next?.reject(new Database.SqliteError(error.message, error.code))
      else next?.resolve(rows!)
    })
    worker.on('error', (error) => this.#stop(error as Error))
    worker.on('exit', () => this.#stop(new Error('The thread has ended')))
    return worker
  }

  #stop(reason: Error): void {
    this.#worker = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }
}
