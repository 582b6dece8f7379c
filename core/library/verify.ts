import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Finding, VerifyReport } from '../contract/index.ts'
import { toErrorData } from '../contract/index.ts'
import {
  isUnitVector,
  type FileQueries,
  type FileRow,
  type FolderRow,
  type ImageQueries,
  type LibraryDatabase,
  type VectorQueries,
} from '../db/index.ts'
import { removeRows, tablesOf, WHOLE, type BrokenReference } from '../db/check.ts'
import type { DiskFile } from '../db/queries/files.ts'
import type { ImageCheck, VerifyQueries } from '../db/queries/verify.ts'
import { DatabaseThread } from '../db/thread.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import { hashFile } from '../images/files.ts'
import type { JobContext } from '../jobs/types.ts'
import { LEAST_RECALL, type VectorIndex } from '../vectors/index.ts'
import { isNote } from './scan.ts'
import { checkRoot, isGone, lookAt } from './walk.ts'

/** Rows looked at before the event loop gets a turn. */
const PAGE = 250
/** Of each kind of problem no more are told one by one. */
const TOLD = 1000

export interface VerifyContext {
  database: LibraryDatabase
  files: FileQueries
  images: ImageQueries
  vectors: VectorQueries
  verify: VerifyQueries
  /** The serving encoder's index; undefined without an encoder. */
  index: VectorIndex | undefined
  readForIndex: PictureDecoder['readForIndex']
  shownFolders(): FolderRow[]
  now: () => number
  /** Runs a part of the work while no index job does. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Checks a library in four parts: what SQLite says of the database, every file's row against the disk
 * (`thorough`: every file's bytes against the hash they had when it was read), every image's thumbnail and
 * vector, and the index against an exact scan. What can be computed again is; what cannot is told. Index jobs
 * may run between any two pages, so that following the disk goes on while hours of hashing do.
 *
 * Answers also whether files were found that the next indexing must read.
 */
export async function verifyLibrary(
  { thorough }: { thorough: boolean },
  context: VerifyContext,
  job: JobContext,
): Promise<{ report: Omit<VerifyReport, 'indexJobId'>; stale: boolean }> {
  return new Verification(thorough, context, job).run()
}

/** What lies at a row's path: a file, nothing, or why that cannot be said. */
type Found = DiskFile | null | Error

class Verification {
  readonly #thorough: boolean
  readonly #context: VerifyContext
  readonly #job: JobContext
  readonly #aborted: Promise<never>
  readonly #checked = { files: 0, hashed: 0, images: 0, vectors: 0 }
  readonly #repaired = new Map<Finding, number>()
  readonly #problems = new Map<Finding, { what: Finding; path: string | null; message: string }[]>()
  #problemCount = 0
  #recall: number | null = null
  #stale = false
  #done = 0

  constructor(thorough: boolean, context: VerifyContext, job: JobContext) {
    this.#thorough = thorough
    this.#context = context
    this.#job = job
    this.#aborted = abortOf(job.signal)
  }

  async run() {
    const { verify } = this.#context
    const counts = verify.counts()
    this.#job.progress({ done: 0, total: counts.files + counts.images + counts.vectors })
    if (await this.#checkDatabase()) {
      for (const folder of this.#context.shownFolders()) await this.#checkFolder(folder)
      await this.#pages((after) => this.#checkImages(after))
      await this.#pages((after) => this.#checkVectors(after))
      await this.#checkIndex()
    }
    const report = {
      checked: this.#checked,
      repaired: [...this.#repaired].map(([what, count]) => ({ what, count })),
      problems: [...this.#problems.values()].flat(),
      problemCount: this.#problemCount,
      recall: this.#recall,
    }
    return { report, stale: this.#stale }
  }

  // ---------------------------------------------------------------- Database

  /** Whether SQLite finds nothing wrong with it. Damage is remembered: the next opening repairs it. */
  async #checkDatabase(): Promise<boolean> {
    const { db, failure } = this.#context.database
    const thread = new DatabaseThread(db.name)
    const stop = () => thread.abandon()
    this.#job.signal.addEventListener('abort', stop)
    try {
      // What belongs to no table, SQLite checks only together with all that does.
      const checks = tablesOf(db).map((table) => ({ part: `the table ${table}`, check: `integrity_check('${table}')` }))
      for (const { part, check } of [...checks, { part: 'what belongs to no table', check: WHOLE }]) {
        await this.#job.checkpoint()
        this.#job.progress({ current: `database: ${part}` })
        const found = await answerOf(thread, `PRAGMA ${check}`, this.#aborted)
        if (found === 'ok') continue
        this.#tell('database', db.name, `SQLite finds in ${part}: ${found}`)
        failure(new Database.SqliteError(found, 'SQLITE_CORRUPT'))
        return false
      }
      const broken = (await thread.run('PRAGMA foreign_key_check')) as unknown as BrokenReference[]
      this.#repair('orphan', broken.length)
      await this.#context.exclusively(async () => db.transaction(() => removeRows(db, broken))())
    } finally {
      this.#job.signal.removeEventListener('abort', stop)
      if (!this.#job.signal.aborted) await thread.close()
    }
    return true
  }

  // ---------------------------------------------------------------- Files

  async #checkFolder(folder: FolderRow): Promise<void> {
    try {
      await checkRoot(folder.path)
    } catch (thrown) {
      const skipped = this.#context.verify.filesIn(folder.id)
      this.#tell('folder-offline', folder.path, `${toErrorData(thrown).message}; ${skipped} files could not be checked`)
      this.#advance(skipped)
      return
    }
    await this.#pages(async (after) => {
      const rows = this.#context.files.inFolder(folder.id, after, PAGE)
      const found = await Promise.all(rows.map((row) => (isNote(row) ? undefined : this.#look(row))))
      for (const [at, row] of rows.entries()) await this.#compare(row, found[at])
      return rows.at(-1)?.id
    })
  }

  async #look(row: FileRow): Promise<Found> {
    try {
      const file = (await lookAt(row.path)) ?? null
      if (file) await access(row.path, constants.R_OK)
      return file
    } catch (thrown) {
      return isGone(thrown) ? null : (thrown as Error)
    }
  }

  async #compare(row: FileRow, found: Found | undefined): Promise<void> {
    const { database, files, now } = this.#context
    await this.#job.checkpoint()
    this.#job.progress({ current: row.name })
    this.#checked.files++
    this.#advance(1)
    if (found === undefined) return
    if (found instanceof Error) {
      this.#tell('file-unreadable', row.path, found.message)
      return
    }
    if (found === null) {
      if (row.state === 'missing') return
      database.db.transaction(() => {
        files.setState(row.id, 'missing', now())
        if (row.image !== null) files.label(row.image)
      })()
      this.#repair('file-missing')
      return
    }
    if (row.size !== found.size || row.mtime !== found.mtime || (row.ctime ?? found.ctime) !== found.ctime) {
      if (row.state === 'pending') return
      files.change(row.id, row.folder, found, now())
      this.#repair(row.state === 'missing' ? 'file-returned' : 'file-changed')
      this.#stale = true
      return
    }
    if (row.state === 'missing') {
      database.db.transaction(() => {
        files.setState(row.id, row.image === null ? 'pending' : 'indexed', now())
        if (row.image !== null) files.label(row.image)
      })()
      this.#repair('file-returned')
      this.#stale ||= row.image === null
    }
    if (this.#thorough && row.image !== null && row.state !== 'pending') await this.#compareBytes(row, row.image)
  }

  /**
   * The catalog's hash is what the bytes were when the file was read. Bytes that changed while size and times
   * did not are no work of a program that writes pictures: that is told, and the hash is kept, so that it is
   * told again until the file is as it was.
   */
  async #compareBytes(row: FileRow, image: number): Promise<void> {
    try {
      const hash = await hashFile(row.path)
      this.#checked.hashed++
      if (hash === this.#context.images.byId(image)?.content_hash) return
      const file = await lookAt(row.path)
      // Written to while it was read: following the disk sees that.
      if (file?.size !== row.size || file.mtime !== row.mtime) return
      this.#tell('content-changed', row.path, 'The bytes are others than when it was read, at the same size and time of modification')
    } catch (thrown) {
      this.#tell('file-unreadable', row.path, toErrorData(thrown).message)
    }
  }

  // ---------------------------------------------------------------- Images and vectors

  async #checkImages(after: number): Promise<number | undefined> {
    const { database, files, verify, index } = this.#context
    const encoder = index && this.#context.vectors.encoder(index.encoder)
    const rows = verify.images(after, PAGE, encoder ?? 0)
    database.db.transaction(() => {
      for (const row of rows.filter(({ labels, files: held }) => held > 0 && labels !== 1)) {
        files.label(row.id)
        this.#repair('label')
      }
    })()
    for (const row of rows) {
      this.#checked.images++
      this.#advance(1)
      // Files that went missing, or whose folder was taken out, may come back; then they are read again.
      if (row.path === null) continue
      if (!row.has_thumbnail) await this.#restoreThumbnail(row, row.path)
      if (index && !row.has_vector) {
        // Indexing encodes whatever has no vector.
        this.#repair('vector-missing')
        this.#stale = true
      }
    }
    return rows.at(-1)?.id
  }

  async #restoreThumbnail({ id, content_hash }: ImageCheck, path: string): Promise<void> {
    try {
      const picture = await this.#context.readForIndex(path)
      if (picture.contentHash !== content_hash) throw new Error('the file is another by now')
      this.#context.images.update(id, picture)
      this.#repair('thumbnail-missing')
    } catch (thrown) {
      this.#tell('thumbnail-missing', path, `The thumbnail cannot be made again: ${toErrorData(thrown).message}`)
    }
  }

  async #checkVectors(after: number): Promise<number | undefined> {
    const { database, verify, index } = this.#context
    const encoder = index && this.#context.vectors.encoder(index.encoder)
    if (!index || encoder === undefined) return undefined
    const rows = this.#context.vectors.after(encoder, after, PAGE)
    const damaged = rows.filter(({ data }) => !isUnitVector(data, verify.dimension(encoder)))
    database.db.transaction(() => {
      for (const { id } of damaged) verify.removeVector(id)
    })()
    if (damaged.length > 0) {
      index.removed(damaged.map(({ image }) => image))
      this.#repair('vector-damaged', damaged.length)
      this.#stale = true
    }
    this.#checked.vectors += rows.length
    this.#advance(rows.length)
    return rows.at(-1)?.id
  }

  /** The index checks itself against an exact scan when it is brought up, and builds a graph that misses too much anew: that is waited for. */
  async #checkIndex(): Promise<void> {
    const { index } = this.#context
    if (!index) return
    const before = index.status().recall?.at10
    await Promise.race([index.settled(), this.#aborted])
    this.#recall = index.status().recall?.at10 ?? null
    if (this.#recall === null) return
    if (this.#recall < LEAST_RECALL) {
      this.#tell(
        'index-recall',
        null,
        `The search graph finds ${(this.#recall * 100).toFixed(1)} % of what it should: every vector is scanned`,
      )
    } else if (before !== undefined && before < LEAST_RECALL) {
      this.#repair('index-recall')
    }
  }

  // ---------------------------------------------------------------- Inside

  /** Calls `page` with the last id it answered until it answers none, each time while no index job runs. */
  async #pages(page: (after: number) => Promise<number | undefined>): Promise<void> {
    for (let last: number | undefined = 0; last !== undefined;) {
      await this.#job.checkpoint()
      const after: number = last
      last = await this.#context.exclusively(() => page(after))
      await nextTurn()
    }
  }

  #advance(count: number): void {
    this.#done += count
    this.#job.progress({ done: this.#done, failed: this.#problemCount })
  }

  #repair(what: Finding, count = 1): void {
    if (count > 0) this.#repaired.set(what, (this.#repaired.get(what) ?? 0) + count)
  }

  #tell(what: Finding, path: string | null, message: string): void {
    this.#problemCount++
    const told = this.#problems.get(what) ?? []
    if (told.length < TOLD) told.push({ what, path, message })
    this.#problems.set(what, told)
  }
}

/** Rejects when the job is cancelled; that nobody waits for it any more is no error. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
  aborted.catch(() => undefined)
  return aborted
}

/** What a pragma that answers in one row says. */
async function answerOf(thread: DatabaseThread, sql: string, aborted: Promise<never>): Promise<string> {
  const [row] = await Promise.race([thread.run(sql), aborted])
  return String(Object.values(row ?? {})[0]).split('\n')[0]!
}
