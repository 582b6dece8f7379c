import { LucidexError, type SearchResponse } from '../../core/contract/index.ts'
import type { Engine } from '../../core/engine.ts'
import type { Io } from '../io.ts'
import { followJob } from '../session.ts'

/** A library made for a bench, in the engine's temporary folder: what is measured is the app's own search. */
export interface AskedLibrary {
  /** The pictures of the first folder, sorted by path. Files with equal bytes are one picture. */
  own: { id: number; path: string }[]
  /** Paths of all pictures. */
  paths: string[]
  /** What the app answers to a picture file, best first. */
  find(file: string, k: number): Promise<SearchResponse['results']>
}

/** Indexes the folders, the one that is asked about first. Errors: FOLDER_NOT_FOUND, FILE_NOT_FOUND when it holds no picture that can be read. */
export async function indexForBench(engine: Engine, folders: readonly string[], io: Io): Promise<AskedLibrary> {
  const listed = []
  for (const path of folders) {
    const { folder, jobId } = await engine.api.library.addFolder({ path })
    if (jobId !== null) {
      const { report, interrupted } = await followJob(engine, jobId, io)
      for (const { path: file, message } of report.index?.failed ?? []) io.note(`left out ${file}: ${message}`)
      if (interrupted) throw new LucidexError('CANCELLED', 'Stopped')
    }
    listed.push(picturesOf(engine, folder.id))
  }
  const [own = []] = listed
  if (own.length === 0) throw new LucidexError('FILE_NOT_FOUND', `${folders[0]} holds no picture that can be read`, { path: folders[0] })
  return {
    own,
    paths: [...new Set(listed.flat().map(({ path }) => path))],
    find: async (file, k) => (await engine.api.search.find({ source: { kind: 'path', path: file }, k })).results,
  }
}

function picturesOf({ library }: Engine, folderId: number): AskedLibrary['own'] {
  const { items } = library.items({ folderId, sort: 'name', descending: false, offset: 0, limit: Number.MAX_SAFE_INTEGER })
  return items.map(({ id }) => ({ id, path: library.pathOf(id) })).sort((a, b) => (a.path < b.path ? -1 : 1))
}
