import type { z } from 'zod'
import type { Folder, Item, ItemDetail, ItemQuery, LibraryStatus, SearchResponse, jobReport } from '../contract/index.ts'
import type { JobContext } from '../jobs/types.ts'
import type { FindOptions, Look } from '../search/find.ts'
import type { LibraryCare } from './care.ts'

export type IndexReport = NonNullable<z.output<typeof jobReport>['index']>

/** The catalog and what keeps it true to the disk. One process writes it. */
export interface Library {
  readonly readOnly: boolean
  /** What is in the library, what failed, what was taken out and can be put back; verifying, exporting, importing. */
  readonly care: LibraryCare
  folders(): Folder[]
  /** Errors: FOLDER_NOT_FOUND, FOLDER_NOT_READABLE. Answers the covering folder when `path` lies inside one already; swallows folders that lie inside `path`. */
  addFolder(path: string): Promise<{ folder: Folder; isNew: boolean }>
  /** Answers what `care.undo` puts it back by. */
  removeFolder(folderId: number): number
  restoreFolder(folderId: number): Folder
  /** Sets the patterns of what a folder leaves out, one a line (core/library/ignore.ts): the next index job goes by them. Errors: FOLDER_NOT_FOUND, BAD_REQUEST. */
  configureFolder(folderId: number, ignore: string): Folder
  items(query: ItemQuery & { offset: number; limit: number }): { total: number; items: Item[] }
  item(imageId: number): ItemDetail
  status(): LibraryStatus
  /** Scan, then read, encode and store what is new or changed. The job `index`. Cancelled, it stores what was read and answers with the report so far. */
  index(request: { folderId?: number }, context: JobContext): Promise<IndexReport>
  /** The thumbnail's WebP bytes, or undefined. */
  thumbnail(imageId: number): Uint8Array | undefined
  /** A readable file of this image. Errors: ITEM_NOT_FOUND, FILE_NOT_FOUND. */
  pathOf(imageId: number): string
  /** Resolves when the vector index holds every vector and is checked, as far as this process keeps it. */
  indexSettled(): Promise<void>
  /** The stored descriptor, or undefined while there is none for the serving encoder. */
  descriptorOf(imageId: number): Float32Array | undefined
  /** Nearest items to the looks at a query, best first (core/search/find.ts). Errors: MODEL_NOT_FOUND. */
  search(looks: readonly Look[], options: FindOptions): Promise<SearchResponse>
  /** Called when folders, items or counts changed, at most twice a second. */
  onChange(listener: () => void): void
  /** Asked when the watcher saw changes in a folder that call for an index job. */
  onStale(listener: (folderId: number) => void): void
  close(): Promise<void>
}
