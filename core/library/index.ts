import { existsSync } from 'node:fs'
import path from 'node:path'
import {
  LucidexError,
  MAX_MEGAPIXELS,
  type Folder,
  type ItemDetail,
  type ItemQuery,
  type LibraryStatus,
  type SearchResponse,
} from '../contract/index.ts'
import {
  Checkpointer,
  fileQueries,
  folderQueries,
  imageQueries,
  itemQueries,
  vectorQueries,
  type FolderRow,
  type LibraryDatabase,
} from '../db/index.ts'
import type { Log } from '../deps.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import type { IndexedPicture } from '../images/types.ts'
import type { Inference } from '../inference/types.ts'
import type { JobContext } from '../jobs/types.ts'
import { findNearest, type FindOptions, type Look } from '../search/find.ts'
import { Miniatures } from '../search/miniatures.ts'
import { VectorIndex } from '../vectors/index.ts'
import { LibraryCare } from './care.ts'
import type { IndexContext, IndexRun } from './context.ts'
import { coveringFolder, covers, handOverImages, readableFolder, swallowInner } from './folders.ts'
import { checkPatterns, ignoring } from './ignore.ts'
import { ingest } from './ingest.ts'
import { toItem, toItemDetail } from './item.ts'
import { Notifier } from './notifier.ts'
import { scanFolder } from './scan.ts'
import type { IndexReport, Library } from './types.ts'
import { UNDO_MS } from './undo.ts'
import { FolderWatcher } from './watch.ts'

export type { IndexReport, Library } from './types.ts'

export interface LibraryOptions {
  database: LibraryDatabase
  readOnly: boolean
  /** Whether folders are followed between index jobs. */
  watch: boolean
  inference: Pick<Inference, 'encoderHash' | 'descriptorLength' | 'encode' | 'relations' | 'models'>
  readForIndex: PictureDecoder['readForIndex']
  log: Log
  /** Milliseconds since 1970. */
  now?: () => number
}

/** Listeners hear of changes at most twice a second. */
const CHANGES_MS = 500
/** Files that were being written are asked for again after so long, in milliseconds. */
const UNQUIET_MS = 30_000

/**
 * The library over an opened database. Deletes what was taken out of it too long ago to be put back, and
 * reads the serving encoder's vectors. The database stays the caller's: close it after the library.
 */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const library = new CatalogLibrary(options)
  await library.open()
  return library
}

class CatalogLibrary implements Library {
  readonly readOnly: boolean
  readonly care: LibraryCare
  readonly #options: LibraryOptions
  readonly #now: () => number
  readonly #folders
  readonly #files
  readonly #images
  readonly #items
  readonly #vectors
  readonly #miniatures: Miniatures
  readonly #checkpointer
  readonly #changes = new Notifier(CHANGES_MS)
  readonly #stale = new Set<(folderId: number) => void>()
  readonly #watcher: FolderWatcher | undefined
  readonly #scanning = new Set<number>()
  #index: VectorIndex | undefined
  #indexing = false
  #unquietTimer: NodeJS.Timeout | undefined
  /** Index jobs and the tidying of folders, one after the other. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: LibraryOptions) {
    const { db } = options.database
    this.#options = options
    this.readOnly = options.readOnly
    this.#now = options.now ?? Date.now
    this.#checkpointer = new Checkpointer(db, options.log)
    this.#folders = folderQueries(db)
    this.#files = fileQueries(db)
    this.#images = imageQueries(db)
    this.#items = itemQueries(db)
    this.#vectors = vectorQueries(db)
    this.#miniatures = new Miniatures((image) => this.#images.thumbnail(image))
    this.care = new LibraryCare({
      database: options.database,
      folders: this.#folders,
      files: this.#files,
      images: this.#images,
      vectors: this.#vectors,
      index: () => this.#index,
      encoderHash: () => options.inference.encoderHash(),
      readForIndex: (file) => this.#readForIndex(file),
      follow: () => {
        for (const folder of this.#shownFolders()) void this.#follow(folder)
      },
      now: this.#now,
      changed: () => this.#changes.notify(),
      exclusively: (work) => this.#exclusively(work),
      shownFolders: () => this.#shownFolders(),
      folder: (id) => this.#folder(id),
      restoreFolder: (id) => this.restoreFolder(id),
      checkWritable: () => this.#checkWritable(),
    })
    if (options.watch && !options.readOnly) {
      this.#watcher = new FolderWatcher({
        log: options.log,
        stale: (folderId) => this.#tellStale(folderId),
        knows: (file) => this.#files.hasUnder(file, path.sep),
        ignoring: (folderId) => {
          const folder = this.#folders.byId(folderId)
          return folder && ignoring(folder.path, folder.ignore)
        },
      })
    }
  }

  async open(): Promise<void> {
    const { database, inference, log, readOnly } = this.#options
    if (!readOnly) {
      await this.care.expire(this.#now() - UNDO_MS)
      for (const folder of this.#folders.all()) await this.#swallowInner(folder)
    }
    const encoder = inference.encoderHash()
    if (encoder !== null) {
      const dimension = inference.descriptorLength()
      this.#index = await VectorIndex.open({ dir: database.dir, queries: this.#vectors, encoder, dimension, readOnly, log })
    }
    for (const folder of this.#shownFolders()) void this.#follow(folder)
  }

  // ---------------------------------------------------------------- Folders

  folders(): Folder[] {
    const counts = this.#folders.counts()
    return this.#shownFolders().map((row) => this.#toFolder(row, counts))
  }

  async addFolder(wanted: string): Promise<{ folder: Folder; isNew: boolean }> {
    this.#checkWritable()
    const real = await readableFolder(wanted)
    const covering = await coveringFolder(this.#shownFolders(), real)
    if (covering) return { folder: this.#toFolder(covering), isNew: false }
    const before = this.#folders.all().find((row) => row.path === real)
    if (before) return { folder: this.restoreFolder(before.id), isNew: false }
    const id = this.#folders.insert(real, this.#now())
    const row = this.#folder(id)
    const swallowed = this.#inBackground(() => this.#swallowInner(row))
    // Nobody waits here for an index job that is under way; until it is done, the folders inside are only hidden.
    if (!this.#indexing) await swallowed
    void this.#follow(row)
    this.#changes.notify()
    return { folder: this.#toFolder(row), isNew: true }
  }

  removeFolder(folderId: number): number {
    this.#checkWritable()
    const known = this.care.removalOf(folderId)
    if (this.#folder(folderId).removed_at !== null && known !== undefined) return known
    this.#folders.setRemoved(folderId, this.#now())
    const undoId = this.care.removedFolder(folderId)
    void this.#watcher?.unfollow(folderId)
    this.#changes.notify()
    void this.#inBackground(() => handOverImages(folderId, this.#tables))
    return undoId
  }

  restoreFolder(folderId: number): Folder {
    this.#checkWritable()
    const row = this.#folder(folderId)
    const covering = this.#shownFolders().find((other) => other.id !== row.id && covers(other.path, row.path))
    if (covering) {
      void this.#inBackground(() => this.#swallowInner(covering))
      return this.#toFolder(covering)
    }
    this.#folders.setRemoved(folderId, null)
    this.care.restoredFolder(folderId)
    void this.#inBackground(() => this.#swallowInner(row))
    void this.#follow(row)
    this.#changes.notify()
    return this.#toFolder(this.#folder(folderId))
  }

  configureFolder(folderId: number, ignore: string): Folder {
    this.#checkWritable()
    this.#folder(folderId)
    checkPatterns(ignore)
    this.#folders.setIgnore(folderId, ignore)
    this.#changes.notify()
    return this.#toFolder(this.#folder(folderId))
  }

  // ---------------------------------------------------------------- Items

  items(query: ItemQuery & { offset: number; limit: number }) {
    const total = this.#items.count(query)
    return { total, items: this.#items.page(query, total).map(toItem) }
  }

  item(imageId: number): ItemDetail {
    const row = this.#items.byImage(imageId)
    const image = this.#images.byId(imageId)
    if (!row || !image) throw notThere(imageId)
    return toItemDetail(row, image, this.#shownFiles(imageId))
  }

  status(): LibraryStatus {
    const { database, inference } = this.#options
    return {
      ...this.#items.counts(),
      vectors: this.#index?.count ?? 0,
      encoder: inference.encoderHash(),
      index: this.#index?.status() ?? { kind: 'exact', generation: 0, upToDate: true, recall: null },
      integrity: database.integrity,
      bytes: database.bytes() + (this.#index?.bytes() ?? 0),
    }
  }

  thumbnail(imageId: number): Uint8Array | undefined {
    try {
      return this.#images.thumbnail(imageId)
    } catch (thrown) {
      throw this.#options.database.failure(thrown)
    }
  }

  pathOf(imageId: number): string {
    const files = this.#shownFiles(imageId)
    if (files.length === 0) throw notThere(imageId)
    const found = files.find((file) => existsSync(file.path))
    if (!found)
      throw new LucidexError('FILE_NOT_FOUND', 'The file is not there: it was moved or deleted, or its drive is absent', {
        path: files[0]!.path,
      })
    return found.path
  }

  // ---------------------------------------------------------------- Search

  async indexSettled(): Promise<void> {
    await this.#index?.settled()
  }

  descriptorOf(imageId: number): Float32Array | undefined {
    return this.#index?.vectorOf(imageId)
  }

  async search(looks: readonly Look[], options: FindOptions): Promise<SearchResponse> {
    const { inference } = this.#options
    if (!this.#index) throw new LucidexError('MODEL_NOT_FOUND', 'There is no encoder to search with')
    return findNearest(looks, options, {
      index: this.#index,
      items: this.#items,
      thresholds: inference.relations(),
      miniatures: this.#miniatures,
    })
  }

  // ---------------------------------------------------------------- Indexing

  async index({ folderId }: { folderId?: number }, job: JobContext): Promise<IndexReport> {
    this.#checkWritable()
    return this.#exclusively(() => this.#runIndex(folderId, job))
  }

  async #runIndex(folderId: number | undefined, job: JobContext): Promise<IndexReport> {
    const report: IndexReport = { scanned: 0, indexed: 0, unchanged: 0, moved: 0, removed: 0, failed: [] }
    const run: IndexRun = { job, report, greyed: new Set(), unquiet: new Set() }
    const wanted = this.#shownFolders().filter(({ id }) => folderId === undefined || id === folderId)
    if (folderId !== undefined && wanted.length === 0) throw noFolder(folderId)
    this.#indexing = true
    try {
      const there: FolderRow[] = []
      for (const folder of wanted) {
        this.#scanning.add(folder.id)
        this.#changes.notify()
        if (await scanFolder(folder, this.#indexContext, run)) {
          there.push(folder)
          void this.#follow(folder)
        }
        this.#scanning.delete(folder.id)
      }
      this.#changes.notify()
      await ingest(there, this.#indexContext, run)
    } catch (thrown) {
      if (!job.signal.aborted) throw this.#options.database.failure(thrown)
    } finally {
      this.#indexing = false
      for (const { id } of wanted) this.#scanning.delete(id)
      this.#changes.notify()
    }
    report.removed += run.greyed.size
    if (run.unquiet.size > 0) this.#askAgain(run.unquiet)
    return report
  }

  onChange(listener: () => void): void {
    this.#changes.listen(listener)
  }

  onStale(listener: (folderId: number) => void): void {
    this.#stale.add(listener)
  }

  async close(): Promise<void> {
    clearTimeout(this.#unquietTimer)
    await this.#watcher?.close()
    this.#changes.close()
    await this.#work
    await this.#index?.close()
    await this.#checkpointer.close()
  }

  // ---------------------------------------------------------------- Inside

  get #tables() {
    return { db: this.#options.database.db, folders: this.#folders, files: this.#files, images: this.#images }
  }

  get #indexContext(): IndexContext {
    const { inference, log } = this.#options
    const { concurrency } = this.care.settings()
    return {
      ...this.#tables,
      vectors: this.#vectors,
      index: this.#index,
      encode: (inputs) => inference.encode(inputs),
      readForIndex: (file) => this.#readForIndex(file),
      readers: concurrency === 'auto' ? undefined : concurrency,
      now: this.#now,
      checkpointer: this.#checkpointer,
      log,
      changed: () => this.#changes.notify(),
    }
  }

  /** Runs `work` when what was begun before is done. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#work.then(work)
    this.#work = run.catch(() => undefined)
    return run
  }

  async #inBackground(work: () => Promise<void>): Promise<void> {
    try {
      await this.#exclusively(work)
    } catch (thrown) {
      this.#options.log.error(`The library could not be tidied: ${(thrown as Error).message}`)
    }
    this.#changes.notify()
  }

  async #swallowInner(outer: FolderRow): Promise<void> {
    for (const inner of await swallowInner(outer, this.#tables)) await this.#watcher?.unfollow(inner)
  }

  #tellStale(folderId: number): void {
    for (const listener of this.#stale) listener(folderId)
  }

  /** Files that were still being written are not left to the next start, also where nobody watches their folder. */
  #askAgain(folders: ReadonlySet<number>): void {
    clearTimeout(this.#unquietTimer)
    this.#unquietTimer = setTimeout(() => folders.forEach((folderId) => this.#tellStale(folderId)), UNQUIET_MS).unref()
  }

  #readForIndex(file: string): Promise<IndexedPicture> {
    const { maxMegapixels } = this.care.settings()
    return this.#options.readForIndex(file, maxMegapixels === MAX_MEGAPIXELS ? undefined : maxMegapixels * 1e6)
  }

  /** Follows a folder, or no more, as the settings say. */
  async #follow(folder: FolderRow): Promise<void> {
    if (this.care.settings().watch) await this.#watcher?.follow(folder.id, folder.path)
    else await this.#watcher?.unfollow(folder.id)
    this.#changes.notify()
  }

  /** The folders of the library, but for those inside another that waits to take them in. */
  #shownFolders(): FolderRow[] {
    const rows = this.#folders.all().filter((row) => row.removed_at === null)
    return rows.filter((row) => !rows.some((other) => other.id !== row.id && covers(other.path, row.path)))
  }

  #shownFiles(imageId: number) {
    return this.#files.ofImage(imageId).filter((file) => file.removed_at === null)
  }

  #folder(id: number): FolderRow {
    const row = this.#folders.byId(id)
    if (!row) throw noFolder(id)
    return row
  }

  #toFolder(row: FolderRow, counts = this.#folders.counts()): Folder {
    const { files, images, pending, failed, missing } = counts.get(row.id) ?? { files: 0, images: 0, pending: 0, failed: 0, missing: 0 }
    return {
      id: row.id,
      path: row.path,
      name: path.basename(row.path) || row.path,
      state: row.removed_at !== null ? 'removed' : this.#scanning.has(row.id) ? 'scanning' : row.offline ? 'offline' : 'ready',
      watching: this.#watcher?.isWatching(row.id) ?? false,
      counts: { files, images, pending, failed, missing },
      ignore: row.ignore,
      addedAt: row.added_at,
    }
  }

  #checkWritable(): void {
    if (this.readOnly) throw new LucidexError('LIBRARY_IN_USE', 'The library is open for reading only')
  }
}

function noFolder(id: number): LucidexError {
  return new LucidexError('FOLDER_NOT_FOUND', `There is no folder ${id} in the library`)
}

function notThere(imageId: number): LucidexError {
  return new LucidexError('ITEM_NOT_FOUND', `There is no picture ${imageId} in the library`)
}
