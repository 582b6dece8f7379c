import path from 'node:path'
import type {
  ExportReport,
  LibraryFile,
  LibraryStorage,
  Facets,
  Folder,
  ItemFilter,
  LibrarySettings,
  Problem,
  ProblemQuery,
  TreeNode,
  Undoable,
} from '../contract/index.ts'
import { facetsOf, filterQueries, problemQueries, removalQueries, treeQueries, type FolderRow, type LibraryDatabase } from '../db/index.ts'
import type { FileQueries } from '../db/queries/files.ts'
import type { FolderQueries } from '../db/queries/folders.ts'
import type { ImageQueries } from '../db/queries/images.ts'
import { importQueries } from '../db/queries/imports.ts'
import { settingQueries } from '../db/queries/settings.ts'
import { storageQueries } from '../db/queries/storage.ts'
import type { VectorQueries } from '../db/queries/vectors.ts'
import { verifyQueries } from '../db/queries/verify.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import type { JobContext } from '../jobs/types.ts'
import type { VectorIndex } from '../vectors/index.ts'
import { compactDatabase } from './compact.ts'
import { inspectExportFile } from './exportFile.ts'
import { exportLibrary } from './exportLibrary.ts'
import { purge } from './folders.ts'
import { importLibrary, type PathMap } from './importLibrary.ts'
import { toProblem } from './item.ts'
import { readSettings, writeSettings } from './settings.ts'
import { storageOf } from './storage.ts'
import { expire, forgetMissing, ignoreFiles, noRemoval, recallForgotten, undoables, type Removed } from './undo.ts'
import { verifyLibrary } from './verify.ts'

/** What caring for a library takes of it. */
export interface CareOptions {
  database: LibraryDatabase
  folders: FolderQueries
  files: FileQueries
  images: ImageQueries
  now: () => number
  /** Says that what the library shows has changed. */
  changed(): void
  /** Runs work when index jobs and the like are done. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** The folders of the library. */
  shownFolders(): FolderRow[]
  vectors: VectorQueries
  /** The serving encoder's index; undefined without an encoder. */
  index(): VectorIndex | undefined
  encoderHash(): string | null
  readForIndex: PictureDecoder['readForIndex']
  /** Follows the folders, or no more, as the settings say. */
  follow(): void
  /** Errors: FOLDER_NOT_FOUND. */
  folder(id: number): FolderRow
  restoreFolder(id: number): Folder
  /** Errors: LIBRARY_IN_USE when the library is open for reading only. */
  checkWritable(): void
}

/** Looking after a library: what is in it by folder and kind, what failed, what was taken out, how it is followed. */
export class LibraryCare {
  readonly #options: CareOptions
  readonly #problems
  readonly #removals
  readonly #filters
  readonly #tree
  readonly #settings
  readonly #storage

  constructor(options: CareOptions) {
    const { db } = options.database
    this.#options = options
    this.#problems = problemQueries(db)
    this.#removals = removalQueries(db)
    this.#filters = filterQueries(db)
    this.#tree = treeQueries(db)
    this.#settings = settingQueries(db)
    this.#storage = storageQueries(db)
  }

  // ---------------------------------------------------------------- Looking

  /** Errors: FOLDER_NOT_FOUND. */
  tree({ folderId, within }: { folderId: number; within?: string }): TreeNode[] {
    return this.#tree.children(this.#options.folder(folderId), within)
  }

  facets(filter: ItemFilter): Promise<Facets> {
    return facetsOf(this.#options.database.db, this.#filters, filter)
  }

  // ---------------------------------------------------------------- Problems

  problems(query: ProblemQuery & { offset: number; limit: number }) {
    const codes = this.#problems.codes(query)
    const total = codes.reduce((sum, { code, count }) => (query.code === undefined || query.code === code ? sum + count : sum), 0)
    const problems: Problem[] = this.#problems.page(query).map(toProblem)
    return { total, codes, problems }
  }

  /** Lets the next indexing read failed files again: these, or all that are listed. */
  retry(fileIds: readonly number[] = this.#problems.ids()): number {
    const { database, now, changed } = this.#writable()
    const retried = database.db.transaction(() => fileIds.filter((id) => this.#problems.retry(id, now())).length)()
    if (retried > 0) changed()
    return retried
  }

  ignore(fileIds: readonly number[]): Removed {
    const { database, now, changed } = this.#writable()
    const ignored = ignoreFiles(fileIds, { db: database.db, removals: this.#removals }, now())
    changed()
    return ignored
  }

  // ---------------------------------------------------------------- Taking out and putting back

  /** Errors: FOLDER_NOT_FOUND. */
  forgetMissing(folderId?: number): Promise<Removed> {
    const { shownFolders, folder, exclusively, now, changed } = this.#writable()
    return exclusively(async () => {
      // What lies on an absent drive is not gone.
      const wanted = folderId === undefined ? shownFolders().filter(({ offline }) => !offline) : [folder(folderId)]
      const removed = await forgetMissing(wanted, folderId ?? null, this.#tables, now())
      changed()
      return removed
    })
  }

  undoable(): Undoable[] {
    return undoables({ removals: this.#removals })
  }

  /** Puts back what was taken out; answers the folder that came back with it, if any. Errors: ITEM_NOT_FOUND. */
  async undo(id: number): Promise<Folder | undefined> {
    const { exclusively, now, changed, restoreFolder } = this.#writable()
    const removal = this.#removals.byId(id)
    if (!removal) throw noRemoval(id)
    if (removal.kind === 'remove-folder') return restoreFolder(removal.folder!)
    if (removal.kind === 'forget-missing') await exclusively(() => recallForgotten(id, this.#tables, now()))
    if (removal.kind === 'ignore') {
      this.#removals.unignore(id)
      this.#removals.remove(id)
    }
    changed()
    return undefined
  }

  /** Notes that a folder was taken out, so that it can be put back. */
  removedFolder(folderId: number): number {
    return this.#removals.insert('remove-folder', folderId, this.#removals.filesIn(folderId), this.#options.now())
  }

  /** The removal of a folder that is out of the library, or undefined. */
  removalOf(folderId: number): number | undefined {
    return this.#removals.ofFolder(folderId)?.id
  }

  /** Notes that a folder is back. */
  restoredFolder(folderId: number): void {
    const removal = this.removalOf(folderId)
    if (removal !== undefined) this.#removals.remove(removal)
  }

  /** Deletes for good what was taken out at `before` or earlier, and images that no file holds any more. */
  async expire(before: number): Promise<void> {
    await expire(before, this.#tables)
    await purge(this.#tables, (images) => this.#options.index()?.removed(images))
  }

  // ---------------------------------------------------------------- Settings

  settings(): LibrarySettings {
    return readSettings(this.#settings)
  }

  /**
   * Changes settings. Pictures that were too large and now are not wait to be read; `retried` counts them.
   * Errors: LIBRARY_IN_USE.
   */
  configure(change: Partial<LibrarySettings>): { settings: LibrarySettings; retried: number } {
    const { follow } = this.#writable()
    const before = this.settings()
    const settings = writeSettings(this.#settings, change)
    if (settings.watch !== before.watch) follow()
    const grown = settings.maxMegapixels > before.maxMegapixels
    return { settings, retried: grown ? this.retry(this.#problems.ids('PICTURE_TOO_LARGE')) : 0 }
  }

  // ---------------------------------------------------------------- Whole libraries

  /** The job `verify`. Answers also whether there is something to be read by the next indexing. */
  verify(request: { thorough: boolean }, job: JobContext) {
    const options = this.#writable()
    const context = { ...options, index: options.index(), verify: verifyQueries(options.database.db) }
    return verifyLibrary(request, context, job)
  }

  /** The job `export-library`. `version`: of Lucidex. */
  export(request: { path: string; overwrite: boolean }, version: string, job: JobContext): Promise<ExportReport> {
    const { database, now } = this.#options
    return exportLibrary(request, { db: database.db, version, now }, job)
  }

  /** The job `import-library`. */
  import(request: { path: string; map: PathMap }, job: JobContext) {
    const { exclusively, shownFolders, now, index, changed, database } = this.#writable()
    return exclusively(async () => {
      const context = { ...this.#tables, imports: importQueries(database.db), index: index(), shownFolders, now }
      const report = await importLibrary(request, context, job)
      changed()
      return report
    })
  }

  /** What an exported library holds. Errors: those of opening it. */
  inspect(file: string): Promise<LibraryFile> {
    return inspectExportFile(path.resolve(file), this.#options.encoderHash())
  }

  /** The job `compact`: bytes on disk before and after. */
  async compact(job: JobContext): Promise<{ before: number; after: number }> {
    const { database, exclusively, now } = this.#writable()
    const before = database.bytes()
    await exclusively(() => this.expire(now()))
    await compactDatabase(database, job)
    return { before, after: database.bytes() }
  }

  storage(): LibraryStorage {
    return storageOf(this.#options.database, this.#storage, this.#options.index()?.bytes() ?? 0)
  }

  // ---------------------------------------------------------------- Inside

  get #tables() {
    const { database, folders, files, images } = this.#options
    return { db: database.db, folders, files, images, removals: this.#removals }
  }

  #writable(): CareOptions {
    this.#options.checkWritable()
    return this.#options
  }
}
