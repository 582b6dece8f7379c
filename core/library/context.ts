import type { Database } from 'better-sqlite3'
import type { Checkpointer, FileQueries, FolderQueries, ImageQueries, VectorQueries } from '../db/index.ts'
import type { Log } from '../deps.ts'
import type { IndexedPicture } from '../images/types.ts'
import type { Inference } from '../inference/types.ts'
import type { JobContext } from '../jobs/types.ts'
import type { VectorIndex } from '../vectors/index.ts'
import type { IndexReport } from './types.ts'

/** What the steps of an index job share. */
export interface IndexContext {
  db: Database
  folders: FolderQueries
  files: FileQueries
  images: ImageQueries
  vectors: VectorQueries
  /** The serving encoder's index; undefined without an encoder. */
  index: VectorIndex | undefined
  encode: Inference['encode']
  readForIndex: (path: string) => Promise<IndexedPicture>
  /** Files read at the same time; undefined: as many as suit this machine. */
  readers: number | undefined
  now: () => number
  log: Log
  checkpointer: Checkpointer
  /** Says that what the library shows has changed. */
  changed: () => void
}

/** One run of the job `index`. */
export interface IndexRun {
  job: JobContext
  report: IndexReport
  /** Files found missing in this run and not found again elsewhere, by id. */
  greyed: Set<number>
  /** Folders with files that were still being written. */
  unquiet: Set<number>
}
