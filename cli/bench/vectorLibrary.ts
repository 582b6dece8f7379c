import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openDatabase, vectorQueries, type LibraryDatabase } from '../../core/db/index.ts'
import { silentLog } from '../../core/hosts/node.ts'
import { VectorIndex } from '../../core/vectors/index.ts'
import { TopK } from '../../core/vectors/topK.ts'
import { draw, K, type Truth } from './vectorIndex.ts'
import type { VectorSet } from './vectorSets.ts'

/** Shares of the images that a filter leaves, and how many queries are asked of each. */
const SHARES = [0.0001, 0.001, 0.01, 0.1, 0.5, 1]
const FILTERED_QUERIES = 50
const ENCODER = 'bench'
const PAGE = 1000

export const TRUTH_FILE = 'truth.json'

/** A catalog for vectors only: images are not needed to search them. */
export function openVectors(dir: string): LibraryDatabase {
  const database = openDatabase(dir, { readOnly: false, log: silentLog })
  database.db.pragma('foreign_keys = OFF')
  return database
}

export function openIndex(database: LibraryDatabase, dimension: number): Promise<VectorIndex> {
  const log = { ...silentLog, warn: (message: string) => console.error(message), error: (message: string) => console.error(message) }
  return VectorIndex.open({ dir: database.dir, queries: vectorQueries(database.db), encoder: ENCODER, dimension, readOnly: false, log })
}

/**
 * Stores `count` vectors of a set as a library's, image and vector ids from 1, and beside it the right answers
 * to the set's queries: by a scan of the vectors as they are, in double precision.
 */
export async function storeVectors(
  dir: string,
  set: VectorSet,
  count: number,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (text: string) => void },
): Promise<void> {
  const database = openVectors(dir)
  const { db } = database
  const queries = vectorQueries(db)
  const dimension = set.queries[0]!.length
  const encoder = queries.addEncoder(ENCODER, dimension)
  const nearest = set.queries.map(() => new TopK(K))
  const filtered = SHARES.map((share) => ({ share, nearest: nearest.slice(0, FILTERED_QUERIES).map(() => new TopK(K)) }))
  try {
    for (let image = 1; image <= count;) {
      signal.throwIfAborted()
      const page = Array.from({ length: Math.min(PAGE, count + 1 - image) }, () => set.next())
      db.transaction(() => {
        for (const [at, vector] of page.entries()) queries.insert(image + at, encoder, vector)
      })()
      for (const [at, vector] of page.entries()) {
        const row = image + at
        const drawn = draw(row)
        for (const [which, query] of set.queries.entries()) {
          const score = innerProduct(vector, query)
          nearest[which]!.add({ row, score })
          if (which < FILTERED_QUERIES) for (const { share, nearest: best } of filtered) if (drawn < share) best[which]!.add({ row, score })
        }
      }
      image += page.length
      onProgress(`${image - 1} of ${count} vectors stored`)
      await nextTurn()
    }
  } finally {
    database.close()
  }
  const images = (best: TopK) => best.sorted().map(({ row }) => row)
  const truth: Truth = {
    ...{ dimension, count },
    queries: set.queries.map((query) => [...query]),
    nearest: nearest.map(images),
    filtered: filtered.map(({ share, nearest: best }) => ({ share, nearest: best.map(images) })),
  }
  await writeFile(path.join(dir, TRUTH_FILE), JSON.stringify(truth))
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
