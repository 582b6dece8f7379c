import type { FileRow, FolderRow } from '../db/index.ts'
import type { IndexContext } from './context.ts'

/** Rows of work fetched from the catalog at a time. */
const PAGE = 500

export interface Work {
  file: FileRow
  /** Known and unchanged, but without a vector of the serving encoder. */
  refresh: boolean
}

export interface Worklist {
  /** How much there was to do when the list was made. */
  total: number
  next(): Work | undefined
}

/**
 * What there is to read in these folders, recomputed from the catalog: so that work cut short is taken up by
 * any later job. Folders that go offline or are taken out meanwhile are skipped.
 */
export function worklist(folders: readonly FolderRow[], context: IndexContext, isOffline: (folderId: number) => boolean): Worklist {
  const { files, vectors, index } = context
  // Asked anew for each page: the first vectors stored make the encoder known.
  const encoderId = () => (index && vectors.encoder(index.encoder)) ?? 0

  function* rows(folder: FolderRow, fetch: (afterId: number) => FileRow[]): Generator<FileRow> {
    for (let page = fetch(0); page.length > 0; page = fetch(page.at(-1)!.id)) {
      for (const row of page) {
        if (isOffline(folder.id) || context.folders.byId(folder.id)?.removed_at !== null) return
        yield row
      }
    }
  }

  function* all(): Generator<Work, undefined> {
    for (const folder of folders) {
      for (const file of rows(folder, (afterId) => files.pending(folder.id, afterId, PAGE))) yield { file, refresh: false }
    }
    if (!index) return
    for (const folder of folders) {
      for (const file of rows(folder, (afterId) => files.unencoded(folder.id, encoderId(), afterId, PAGE))) yield { file, refresh: true }
    }
  }

  const work = all()
  const total = folders.reduce((sum, { id }) => sum + files.countPending(id) + (index ? files.countUnencoded(id, encoderId()) : 0), 0)
  return { total, next: () => work.next().value }
}
