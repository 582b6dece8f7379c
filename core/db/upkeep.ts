import Database from 'better-sqlite3'
import type { Log } from '../deps.ts'
import { backUp, listBackups } from './backup.ts'
import { findDamageIn, tablesOf } from './check.ts'
import { freePages, giveBackRoom } from './freePages.ts'
import type { LibraryDatabase } from './open.ts'
import { DatabaseThread } from './thread.ts'

const DAY_MS = 24 * 3600_000
/** Whatever is asked for first, and short commands, go before. */
const BEGIN_AFTER_MS = 10_000
/** How often it is looked whether a day has passed. */
const LOOK_EVERY_MS = 3600_000
/** Changes are backed up when so long none followed, … */
const QUIET_MS = 30_000
/** … but no more often than this. */
const BETWEEN_MS = 600_000

/** These can be had from the pictures again, or matter to nobody later: a change of theirs is no reason for a backup. */
const COMPUTED: ReadonlySet<string> = new Set(['file', 'image', 'thumbnail', 'encoder', 'vector', 'job', 'job_result'])

/** Room is given back when so much of the database is free: this share, and at least so many pages. */
const FREE_SHARE = 0.1
const FREE_PAGES = 1000

export interface UpkeepOptions {
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
  /** For tests. */
  beginAfterMs?: number
}

/**
 * What a library open for writing needs from time to time: a check of what was too large to be checked on
 * opening; a backup when the newest is older than a day, and after changes to what cannot be computed again;
 * and the room of what was deleted given back to the disk. Long statements run in a thread.
 */
export class Upkeep {
  readonly #database: LibraryDatabase
  readonly #log: Log
  readonly #now: () => number
  readonly #stop = new AbortController()
  readonly #timers: NodeJS.Timeout[]
  #work: Promise<void> = Promise.resolve()
  #checking: DatabaseThread | undefined
  #isChecked: boolean
  #changed = false
  readonly #triggers: string[] = []
  #quiet: NodeJS.Timeout | undefined
  #backedUp = -Infinity

  constructor(database: LibraryDatabase, { log, now, beginAfterMs = BEGIN_AFTER_MS }: UpkeepOptions) {
    this.#database = database
    this.#log = log
    this.#now = now
    this.#isChecked = database.isChecked
    this.#noteChanges()
    this.#timers = [setTimeout(() => this.#soon(), beginAfterMs), setInterval(() => this.#soon(), LOOK_EVERY_MS)]
    for (const timer of this.#timers) timer.unref()
  }

  /** What is due now. */
  async run(): Promise<void> {
    this.#soon()
    await this.#work
  }

  /** Backs up what was changed since the last backup. */
  async close(): Promise<void> {
    this.#stop.abort()
    for (const timer of [...this.#timers, this.#quiet]) clearTimeout(timer)
    for (const trigger of this.#triggers) this.#database.db.exec(`DROP TRIGGER temp.${trigger}`)
    this.#checking?.abandon()
    await this.#work
    if (this.#changed && this.#database.integrity === 'ok') await this.#backUp().catch((thrown: Error) => this.#failed(thrown))
  }

  #soon(): void {
    this.#work = this.#work.then(() => this.#runDue()).catch((thrown: Error) => this.#failed(thrown))
  }

  async #runDue(): Promise<void> {
    const isDue = this.#isBackupDue()
    if (!(await this.#check(isDue)) || this.#stop.signal.aborted) return
    if (isDue || this.#changed) await this.#backUp()
    await this.#giveBackRoom()
  }

  /** Where there is much of it. */
  async #giveBackRoom(): Promise<void> {
    const { db } = this.#database
    const pages = db.pragma('page_count', { simple: true }) as number
    if (freePages(db) < Math.max(FREE_PAGES, pages * FREE_SHARE)) return
    await giveBackRoom(db, () => !this.#stop.signal.aborted)
  }

  /** Whether the database is sound, as far as is known. Before a day's backup everything is looked at, else what was not yet. */
  async #check(everything: boolean): Promise<boolean> {
    if (this.#database.integrity !== 'ok') return false
    if (this.#isChecked && !everything) return true
    this.#checking = new DatabaseThread(this.#database.db.name)
    const damage = await findDamageIn(this.#checking, everything ? 'everything' : 'catalog')
    await this.#checking.close()
    this.#checking = undefined
    if (damage) this.#database.failure(new Database.SqliteError(damage, 'SQLITE_CORRUPT'))
    this.#isChecked = true
    return damage === undefined
  }

  #isBackupDue(): boolean {
    const [newest] = listBackups(this.#database.dir)
    // A clock that was set back says nothing about a backup's age.
    return newest === undefined || Math.abs(this.#now() - newest.madeAt) > DAY_MS
  }

  async #backUp(): Promise<void> {
    const thread = new DatabaseThread(this.#database.db.name)
    this.#changed = false
    try {
      await backUp(this.#database.dir, this.#database.db, thread, this.#now())
      this.#backedUp = performance.now()
    } catch (thrown) {
      this.#changed = true
      throw thrown
    } finally {
      await thread.close()
    }
  }

  /** Triggers of this connection alone hear of every change, whoever makes it. */
  #noteChanges(): void {
    const { db } = this.#database
    db.function('lucidex_changed', () => {
      this.#changed = true
      clearTimeout(this.#quiet)
      const wait = Math.max(QUIET_MS, this.#backedUp + BETWEEN_MS - performance.now())
      this.#quiet = setTimeout(() => this.#soon(), wait)
      this.#quiet.unref()
      return null
    })
    for (const table of tablesOf(db).filter((table) => !COMPUTED.has(table))) {
      for (const change of ['INSERT', 'UPDATE', 'DELETE']) {
        const name = `${table}_${change}`
        db.exec(`CREATE TEMP TRIGGER ${name} AFTER ${change} ON main.${table} BEGIN SELECT lucidex_changed(); END`)
        this.#triggers.push(name)
      }
    }
  }

  #failed(thrown: Error): void {
    const failure = this.#database.failure(thrown)
    if (!this.#stop.signal.aborted) this.#log.warn(`The library's upkeep failed: ${(failure as Error).message}`)
  }
}
