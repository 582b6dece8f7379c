import { setImmediate as nextTurn } from 'node:timers/promises'
import { SLICE, type VectorStore } from './store.ts'
import type { TopK } from './topK.ts'

/** Images by id, as a set that is asked once for every row. */
export class ImageSet {
  readonly #bits: Uint8Array

  constructor(images: Uint32Array) {
    let largest = 0
    for (const image of images) largest = Math.max(largest, image)
    this.#bits = new Uint8Array((largest >>> 3) + 1)
    for (const image of images) this.#bits[image >>> 3]! |= 1 << (image & 7)
  }

  has(image: number): boolean {
    return (this.#bits[image >>> 3]! & (1 << (image & 7))) !== 0
  }
}

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
  for (let row = from; row < to;) {
    if (row > from) await nextTurn()
    const rows = store.slice
    let named = 0
    for (; row < to && named < SLICE; row++) {
      const image = store.image(row)
      if (image !== 0 && (!images || images.has(image))) rows[named++] = row
    }
    score(store, query, best, named)
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
