import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { toErrorData, type ErrorData, type LucidexError } from '../contract/index.ts'
import type { FileRow, FolderRow } from '../db/index.ts'
import { exists, hashFile } from '../images/files.ts'
import type { IndexedPicture } from '../images/types.ts'
import { Batcher } from './batcher.ts'
import type { IndexContext, IndexRun } from './context.ts'
import { greyFolder, PASSING } from './scan.ts'
import { checkRoot, lookAt } from './walk.ts'
import { worklist, type Work, type Worklist } from './worklist.ts'

/** Pictures encoded together. */
const BATCH = 32
/** A picture that was read is stored within this time, in milliseconds, even when few follow. */
const BATCH_MS = 1000
/** Pictures stored in one transaction: it takes a few milliseconds. */
const TRANSACTION = 8
/** One more than cores: while one waits for the disk, the others decode. Each may hold a whole large picture. */
const READERS = Math.min(availableParallelism() + 1, 8)
/** A file that changed while it was read is left alone for so long, in milliseconds… */
const QUIET_MS = 2000
/** …so often in one job. Then it stays pending: it is asked for again later. */
const QUIET_ROUNDS = 3

/** What came of reading one file. */
type Reading =
  | { picture: IndexedPicture }
  /** Its bytes are those of an image that the library has. */
  | { image: number }
  | { error: ErrorData }
  /** It was still being written. */
  | 'unquiet'
type Outcome = Work & Exclude<Reading, string>

/** What the outcomes of a batch need besides, found before its transactions. */
interface Found {
  vectors: Map<IndexedPicture, Float32Array>
  /** For a file with known content: files that held it and are gone. The file was moved from one of them. */
  gone: Map<FileRow, FileRow[]>
}

/**
 * Reads what is pending in these folders, encodes it and stores it, a few files at a time in bounded memory.
 * Also reads again what has no vector of the serving encoder. A file's failure is stored with the file.
 * When the job is cancelled, what was read before is still stored.
 */
export async function ingest(folders: readonly FolderRow[], context: IndexContext, run: IndexRun): Promise<void> {
  await new Ingest(folders, context, run).all()
}

class Ingest {
  readonly #folders: readonly FolderRow[]
  readonly #context: IndexContext
  readonly #run: IndexRun
  readonly #work: Worklist
  readonly #writer = new Batcher<Outcome>(BATCH, BATCH_MS, (batch) => this.#write(batch))
  /** Folders that went away meanwhile. */
  readonly #offline = new Set<number>()
  /** What was still being written when it was read. */
  #unquiet: Work[] = []
  #done = 0
  #broken = false

  constructor(folders: readonly FolderRow[], context: IndexContext, run: IndexRun) {
    this.#folders = folders
    this.#context = context
    this.#run = run
    this.#work = worklist(folders, context, (folderId) => this.#offline.has(folderId))
  }

  async all(): Promise<void> {
    const { job, report } = this.#run
    const failedBefore = report.failed.length
    job.progress({ done: 0, failed: failedBefore, total: failedBefore + this.#work.total })
    if (this.#work.total > 0) this.#context.checkpointer.checkpointSoon()
    try {
      await this.#readAll(() => this.#work.next())
      for (let round = 0; round < QUIET_ROUNDS && this.#unquiet.length > 0; round++) {
        await sleep(QUIET_MS, undefined, { signal: job.signal })
        const again = this.#unquiet.splice(0)
        await this.#readAll(() => again.pop())
      }
    } catch (thrown) {
      if (!job.signal.aborted) throw thrown
    } finally {
      await this.#writer.flush()
      for (const { file } of this.#unquiet) this.#run.unquiet.add(file.folder)
    }
  }

  /** Reads what `next` gives, a few at a time. Rejects with the first failure, when all have stopped. */
  async #readAll(next: () => Work | undefined): Promise<void> {
    const readers = await Promise.allSettled(Array.from({ length: this.#context.readers ?? READERS }, () => this.#readOn(next)))
    const failure = readers.find((reader) => reader.status === 'rejected')
    if (failure) throw failure.reason
  }

  async #readOn(next: () => Work | undefined): Promise<void> {
    const { job } = this.#run
    for (;;) {
      await job.checkpoint()
      // When storing fails for one reader it would fail for all.
      const work = this.#broken ? undefined : next()
      if (!work) return
      job.progress({ current: work.file.name })
      try {
        const reading = await this.#readQuiet(work)
        if (reading === 'unquiet') this.#unquiet.push({ ...work, file: this.#context.files.byPath(work.file.path) ?? work.file })
        else await this.#writer.add({ ...work, ...reading })
      } catch (thrown) {
        this.#broken = true
        throw thrown
      }
    }
  }

  /** What was read counts only when the file is still as its row says; else the row says what it is now, and it waits. */
  async #readQuiet(work: Work): Promise<Reading> {
    const { files, now } = this.#context
    const { file } = work
    const reading = await this.#read(work)
    const after = await lookAt(file.path).catch(() => undefined)
    if (!after || (after.size === file.size && after.mtime === file.mtime)) return reading
    files.change(file.id, file.folder, after, now())
    return 'unquiet'
  }

  /**
   * One file, read and decoded once at most: not read when it is known by its place on the disk, and not
   * decoded when an image of its size has its hash.
   */
  async #read({ file, refresh }: Work): Promise<Reading> {
    const { files, images, readForIndex } = this.#context
    try {
      if (!refresh) {
        const moved = file.image === null ? await this.#movedFrom(file) : undefined
        if (moved !== undefined) return { image: moved }
        const image = files.hasSize(file.size) ? images.byHash(await hashFile(file.path)) : undefined
        if (image !== undefined && this.#isEncoded(image)) return { image }
      }
      return { picture: await readForIndex(file.path) }
    } catch (thrown) {
      return { error: toErrorData(thrown) }
    }
  }

  /** The image of a file that is gone and was this very file on the disk. */
  async #movedFrom(file: FileRow): Promise<number | undefined> {
    for (const { image, path, state } of this.#context.files.twins(file)) {
      if (image !== null && this.#isEncoded(image) && (state === 'missing' || !(await exists(path)))) return image
    }
    return undefined
  }

  #isEncoded(image: number): boolean {
    const { index } = this.#context
    return !index || index.has(image)
  }

  // ---------------------------------------------------------------- Storing

  async #write(batch: Outcome[]): Promise<void> {
    const vectors = await this.#encode(batch)
    for (const outcome of batch) if (isAbsent(outcome)) await this.#checkFolder(outcome.file.folder)
    const found = { vectors, gone: await this.#findGone(batch) }
    for (let start = 0; start < batch.length; start += TRANSACTION) {
      this.#storeAll(batch.slice(start, start + TRANSACTION), found)
      await nextTurn()
    }
    this.#run.job.progress({ done: this.#done, failed: this.#run.report.failed.length })
    this.#context.checkpointer.checkpointSoon()
    this.#context.changed()
  }

  /** Descriptors of the pictures that were decoded. A picture without one is stored all the same, and encoded by a later job. */
  async #encode(batch: readonly Outcome[]): Promise<Found['vectors']> {
    const { index, encode, log } = this.#context
    const vectors: Found['vectors'] = new Map()
    const decoded = batch.flatMap((outcome) => ('picture' in outcome ? [outcome] : []))
    if (!index || decoded.length === 0) return vectors
    try {
      const descriptors = await encode(decoded.map(({ picture }) => picture.encoderInput))
      for (const [at, { picture }] of decoded.entries()) vectors.set(picture, descriptors[at]!)
    } catch (thrown) {
      const { code, message } = toErrorData(thrown)
      log.error(`${decoded.length} pictures could not be encoded: ${message}`)
      for (const { file } of decoded) this.#run.report.failed.push({ path: file.path, code, message })
    }
    return vectors
  }

  /** A file that has just gone may have gone with its whole folder: then the folder is reported, once. */
  async #checkFolder(folderId: number): Promise<void> {
    const folder = this.#folders.find(({ id }) => id === folderId)
    if (!folder || this.#offline.has(folderId)) return
    try {
      await checkRoot(folder.path)
    } catch (thrown) {
      this.#offline.add(folderId)
      await greyFolder(folder, thrown as LucidexError, this.#context, this.#run)
    }
  }

  /** New files may be moved ones. Files of an absent drive are not looked for: they will be there again with it. */
  async #findGone(batch: readonly Outcome[]): Promise<Found['gone']> {
    const { files, images } = this.#context
    const gone: Found['gone'] = new Map()
    for (const outcome of batch) {
      if (outcome.file.image !== null || 'error' in outcome) continue
      const image = 'image' in outcome ? outcome.image : images.byHash(outcome.picture.contentHash)
      if (image === undefined) continue
      const others = files.ofImage(image).filter((row) => row.id !== outcome.file.id && row.removed_at === null && row.offline === 0)
      const missing: FileRow[] = []
      for (const row of others) if (row.state === 'missing' || !(await exists(row.path))) missing.push(row)
      gone.set(outcome.file, missing)
    }
    return gone
  }

  #storeAll(batch: readonly Outcome[], found: Found): void {
    const added: { id: number; image: number; vector: Float32Array }[] = []
    const { db, index, vectors } = this.#context
    db.transaction(() => {
      for (const outcome of batch) {
        if ('error' in outcome) {
          this.#fail(outcome.file, outcome.error)
          continue
        }
        const image = this.#store(outcome, found)
        const vector = 'picture' in outcome ? found.vectors.get(outcome.picture) : undefined
        if (index && vector && !vectors.has(image, index.encoderId())) {
          added.push({ id: vectors.insert(image, index.encoderId(), vector), image, vector })
        }
      }
    })()
    index?.added(added)
  }

  /** Makes the file stand for its image, and counts it. Returns the image. */
  #store(outcome: Exclude<Outcome, { error: ErrorData }>, { vectors, gone }: Found): number {
    const { files, index, now } = this.#context
    const { report, greyed } = this.#run
    const { file } = outcome
    const image = 'image' in outcome ? outcome.image : this.#storePicture(file, outcome.picture)
    // Each of them is where only one file was moved from.
    const origin = gone.get(file)?.find((row) => files.byPath(row.path)?.id === row.id)
    if (origin) {
      files.remove(origin)
      greyed.delete(origin.id)
    }
    files.setIndexed(file, image, now())
    // Its folder went away after it was read.
    if (this.#offline.has(file.folder)) files.setState(file.id, 'missing', now())

    const isEncoded = !index || !('picture' in outcome) || vectors.has(outcome.picture)
    if (isEncoded) {
      this.#done++
      report[origin ? 'moved' : 'indexed']++
      if (outcome.refresh) report.unchanged--
    }
    return image
  }

  /** The image of these bytes, made when they are new. */
  #storePicture(file: FileRow, picture: IndexedPicture): number {
    const { files, images, now } = this.#context
    const known = images.byHash(picture.contentHash)
    if (known !== undefined) {
      // After a repair it may have lost it.
      images.keepThumbnail(known, picture)
      return known
    }
    // The same pixels with other metadata in the same place: what was decided about the image still holds.
    if (file.image !== null && images.pixelHash(file.image) === picture.pixelHash && files.ofImage(file.image).length === 1) {
      images.update(file.image, picture)
      return file.image
    }
    return images.insert(picture, now())
  }

  #fail(file: FileRow, { code, message }: ErrorData): void {
    const { files, now } = this.#context
    if (this.#offline.has(file.folder)) return
    if (code === 'FILE_NOT_FOUND') {
      files.setState(file.id, 'missing', now())
      if (file.image !== null) files.label(file.image)
      this.#run.greyed.add(file.id)
    } else if (PASSING.has(code)) {
      files.setUnreadable(file, code, message, now())
    } else {
      files.setFailed(file, code, message, now())
    }
    if (!file.ignored) this.#run.report.failed.push({ path: file.path, code, message })
  }
}

function isAbsent(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error.code === 'FILE_NOT_FOUND'
}
