import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ImageSet } from './imageSet.ts'
import { SLICE, type VectorStore } from './store.ts'
import type { TopK } from './topK.ts'

/**
 * The rows of the largest inner product with `query` (core/vectors/store: encodeQuery) among the rows from … to − 1,
 * or those of them whose image is one of `images`, into `best`. Every row is looked at: the answer is exact.
 * The thread gets a turn after every {@link SLICE} rows; what is appended meanwhile is not looked at.
 */
export async function scanExact(
  store: VectorStore,
  query: Int16Array,
  best: TopK,
  { from = 0, to = store.count, images }: { from?: number; to?: number; images?: ImageSet } = {},
): Promise<void> {
  for (let start = from; start < to; start += SLICE) {
    if (start > from) await nextTurn()
    score(store, query, best, store.nameRows(start, Math.min(start + SLICE, to), images))
  }
}

/** The rows of these vector ids into `best`, as a scan would score them. */
export function scoreIds(store: VectorStore, query: Int16Array, best: TopK, ids: readonly number[]): void {
  let named = 0
  for (const id of ids) {
    const row = store.rowOfId(id)
    if (row !== undefined) store.slice[named++] = row
  }
  score(store, query, best, named)
}

function score(store: VectorStore, query: Int16Array, best: TopK, count: number): void {
  const rows = store.slice
  const scores = store.score(query, count)
  let threshold = best.threshold
  for (let i = 0; i < count; i++) {
    if (scores[i]! < threshold) continue
    best.add({ row: rows[i]!, score: scores[i]! })
    threshold = best.threshold
  }
}
