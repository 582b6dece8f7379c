import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { LucidexError, type ImportReport } from '../contract/index.ts'
import {
  fromBytes,
  isUnitVector,
  type FileQueries,
  type FolderQueries,
  type FolderRow,
  type ImageQueries,
  type RemovalQueries,
} from '../db/index.ts'
import { databaseFailure } from '../db/failures.ts'
import type { ForeignDecision, ForeignFile, ForeignImage, ImportQueries } from '../db/queries/imports.ts'
import type { JobContext } from '../jobs/types.ts'
import type { VectorIndex } from '../vectors/index.ts'
import { isFolder, openExportFile, type About, type ExportFile } from './exportFile.ts'
import { covers, handOverFiles, purge, swallowInner } from './folders.ts'

/** Images with their thumbnails read, and rows changed in one transaction, before the event loop gets a turn. */
const PAGE = 100

export interface ImportContext {
  db: Database
  folders: FolderQueries
  files: FileQueries
  images: ImageQueries
  imports: ImportQueries
  removals: RemovalQueries
  /** The serving encoder's index; undefined without an encoder. */
  index: VectorIndex | undefined
  /** The folders of the library. */
  shownFolders(): FolderRow[]
  now: () => number
}

/** Says where a folder of another machine lies here. */
export type PathMap = readonly { from: string; to: string }[]

/** A folder of the file, and where its files are gathered until all of them are there. */
interface Staged {
  from: string
  path: string
  offline: boolean
  /** The row of the hidden folder. */
  id: number
}

/**
 * Merges an exported library into this one. Images are known by their content: those that are here already are
 * not doubled, and decisions about them are kept from both. Files come as missing ones; the index job that
 * follows finds which of them are there, and decodes none whose size and times are the same.
 *
 * Until everything is there it lies in hidden folders. Cancelled, failed or killed, these go, and the images
 * that only they held: nothing half-imported is ever seen.
 * Errors: those of opening the file; BAD_REQUEST for a folder that needs a place here and was given none; DISK_FULL.
 */
export async function importLibrary(
  { path: file, map }: { path: string; map: PathMap },
  context: ImportContext,
  job: JobContext,
): Promise<Omit<ImportReport, 'indexJobId'>> {
  const source = await openExportFile(path.resolve(file))
  const run = new Import(source, map, context, job)
  try {
    return await run.all()
  } catch (thrown) {
    await run.undo()
    throw databaseFailure(thrown, context.db.name)
  } finally {
    await source.close()
  }
}

class Import {
  readonly #source: ExportFile
  readonly #map: PathMap
  readonly #context: ImportContext
  readonly #job: JobContext
  readonly #staged = new Map<number, Staged>()
  /** Ids here of the file's images. */
  readonly #images = new Map<number, number>()
  readonly #report = { files: 0, knownFiles: 0, images: 0, knownImages: 0, vectors: 0, decisions: 0 }

  constructor(source: ExportFile, map: PathMap, context: ImportContext, job: JobContext) {
    this.#source = source
    this.#map = map
    this.#context = context
    this.#job = job
  }

  async all(): Promise<Omit<ImportReport, 'indexJobId'>> {
    await this.#stageFolders()
    await this.#takeImages()
    await this.#takeFiles()
    await this.#takeDecisions()
    // From here on it is not cut short any more: every step leaves a library that is whole.
    for (const staged of this.#staged.values()) await this.#show(staged)
    return { folders: [...this.#staged.values()].map(({ from, path, offline }) => ({ from, path, offline })), ...this.#report }
  }

  /** Deletes what was staged. */
  async undo(): Promise<void> {
    const { index } = this.#context
    await purge(this.#context, (images) => index?.removed(images))
  }

  // ---------------------------------------------------------------- Folders

  async #stageFolders(): Promise<void> {
    const rows = (await this.#source.thread.run(`SELECT id, path, added_at, ignore FROM folder ORDER BY id`)) as unknown as (FolderRow & {
      id: number
    })[]
    for (const row of rows) {
      const mapped = mapPath(row.path, this.#map, this.#source.about.separator)
      if (!path.isAbsolute(mapped)) {
        throw new LucidexError('BAD_REQUEST', `${row.path} is no folder of this machine: say where it lies here`, { path: row.path })
      }
      const found = await isFolder(mapped)
      const id = this.#context.imports.insertHiddenFolder(`import:${randomUUID()}`, row.added_at, row.ignore, this.#context.now())
      this.#staged.set(row.id, { from: row.path, path: found ? await realpath(mapped) : path.resolve(mapped), offline: !found, id })
    }
  }

  /** Puts a folder with all its files in its place: its own, or within the folder of the library that covers it. */
  async #show({ id, path: place, offline }: Staged): Promise<void> {
    const { db, folders, imports, removals, shownFolders } = this.#context
    const before = folders.all().find((row) => row.path === place)
    if (before && before.removed_at !== null) {
      folders.setRemoved(before.id, null)
      const removal = removals.ofFolder(before.id)
      if (removal) removals.remove(removal.id)
    }
    const covering = shownFolders().find((row) => covers(row.path, place))
    if (covering) {
      await handOverFiles(id, covering.id, this.#context)
      return
    }
    db.transaction(() => imports.show(id, place, offline))()
    await swallowInner(folders.byId(id)!, this.#context)
  }

  // ---------------------------------------------------------------- Contents

  async #takeImages(): Promise<void> {
    const { imports, index } = this.#context
    const { thread } = this.#source
    const encoders = await thread.run(`SELECT id, hash, dimension FROM encoder`)
    const encoder = Number(encoders.find(({ hash }) => hash === index?.encoder)?.['id'] ?? 0)
    const [counts] = (await thread.run(`SELECT COUNT(*) AS images FROM image`)) as [{ images: number }]
    this.#job.progress({ done: 0, total: counts.images })
    for (let last = 0; ;) {
      await this.#job.checkpoint()
      const rows = (await thread.run(imports.imagesAfter(last, encoder, PAGE))) as ForeignImage[]
      if (rows.length === 0) return
      last = rows.at(-1)!.id
      this.#storeImages(rows)
      this.#job.progress({ done: this.#report.images + this.#report.knownImages })
      await nextTurn()
    }
  }

  #storeImages(rows: readonly ForeignImage[]): void {
    const { db, images, imports, index } = this.#context
    const vectors: { id: number; image: number; vector: Float32Array }[] = []
    db.transaction(() => {
      for (const row of rows) {
        const known = images.byHash(row.content_hash)
        const image = known ?? imports.insertImage(row)
        this.#images.set(row.id, image)
        this.#report[known === undefined ? 'images' : 'knownImages']++
        if (row.thumbnail) imports.insertThumbnail(image, row.thumbnail)
        if (!index || !row.vector) continue
        const data = Buffer.from(row.vector)
        const id = isUnitVector(data, index.dimension) ? imports.insertVector(image, index.encoderId(), data) : undefined
        if (id !== undefined) vectors.push({ id, image, vector: fromBytes(data) })
      }
    })()
    index?.added(vectors)
    this.#report.vectors += vectors.length
  }

  async #takeFiles(): Promise<void> {
    const { db, files, now } = this.#context
    const store = db.transaction((rows: ForeignFile[]) => {
      for (const row of rows) {
        const staged = this.#staged.get(row.folder)
        const file = staged && moved(row.path, staged, this.#source.about.separator)
        if (!staged || file === undefined) continue
        if (files.byPath(file)) {
          this.#report.knownFiles++
          continue
        }
        const image = row.image === null ? null : (this.#images.get(row.image) ?? null)
        const { size, mtime } = row
        files.restore({ folder: staged.id, path: file, name: path.basename(file), size, mtime, inode: null, image }, 'missing', now())
        this.#report.files++
      }
    })
    await this.#eachPage<ForeignFile>(`SELECT id, folder, path, size, mtime, image FROM file`, 'id', store)
  }

  async #takeDecisions(): Promise<void> {
    const { db, imports } = this.#context
    const store = db.transaction((rows: (ForeignDecision & { row: number })[]) => {
      for (const { a, b, verdict, made_at } of rows) {
        const [here, there] = [this.#images.get(a), this.#images.get(b)]
        if (here === undefined || there === undefined || here === there) continue
        if (imports.insertDecision(here, there, verdict, made_at)) this.#report.decisions++
      }
    })
    await this.#eachPage<ForeignDecision & { row: number }>(`SELECT rowid AS row, a, b, verdict, made_at FROM decision`, 'row', store)
  }

  async #eachPage<Row extends object>(sql: string, key: keyof Row & string, store: (rows: Row[]) => void): Promise<void> {
    const column = key === 'row' ? 'rowid' : key
    for (let last = 0; ;) {
      await this.#job.checkpoint()
      const rows = (await this.#source.thread.run(`${sql} WHERE ${column} > ${last} ORDER BY ${column} LIMIT ${PAGE}`)) as Row[]
      if (rows.length === 0) return
      last = rows.at(-1)![key] as number
      store(rows)
      await nextTurn()
    }
  }
}

/**
 * Where a folder of another machine lies here: by the longest of the map's folders that it is or lies in,
 * else where it lay there. Its separators become this system's.
 */
export function mapPath(folder: string, map: PathMap, separator: About['separator']): string {
  const withEnd = (text: string) => (text.endsWith(separator) ? text : text + separator)
  const [entry] = map
    .filter(({ from }) => withEnd(folder).startsWith(withEnd(from)))
    .sort((a, b) => withEnd(b.from).length - withEnd(a.from).length)
  if (!entry) return folder
  return path.join(entry.to, ...withEnd(folder).slice(withEnd(entry.from).length).split(separator))
}

/** A file's path below the folder's place here, or undefined for one that does not lie in its folder. */
function moved(file: string, { from, path: to }: Staged, separator: About['separator']): string | undefined {
  const base = from.endsWith(separator) ? from : from + separator
  if (!file.startsWith(base)) return undefined
  const parts = file.slice(base.length).split(separator)
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return undefined
  return path.join(to, ...parts)
}
