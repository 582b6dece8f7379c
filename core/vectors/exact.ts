import { setImmediate as nextTurn } from 'node:timers/promises'
import type { VectorStore } from './store.ts'
import type { TopK } from './topK.ts'

/** Rows scanned before the event loop gets a turn: some 3 ms at 128 numbers each. */
const SLICE = 16_384

/**
 * The `k` rows of the largest inner product with `query` among the rows from … to − 1 that `accepts` takes,
 * into `best`. Every row is looked at: the answer is exact.
 */
export async function scanExact(
  store: VectorStore,
  query: Float32Array,
  best: TopK,
  { from = 0, to = store.count, accepts }: { from?: number; to?: number; accepts?: (row: number) => boolean } = {},
): Promise<void> {
  for (let start = from; start < to; start += SLICE) {
    if (start > from) await nextTurn()
    scan(store, query, best, start, Math.min(start + SLICE, to), accepts)
  }
}

function scan(store: VectorStore, query: Float32Array, best: TopK, from: number, to: number, accepts?: (row: number) => boolean): void {
  const { data, dimension } = store
  for (let row = from; row < to; row++) {
    if (accepts && !accepts(row)) continue
    const score = innerProduct(data, row * dimension, query)
    if (score >= best.threshold) best.add({ row, score })
  }
}

/** Four sums at a time keep the processor's pipeline full. */
function innerProduct(data: Float32Array, offset: number, query: Float32Array): number {
  const whole = query.length & ~3
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i < whole; i += 4) {
    a += data[offset + i]! * query[i]!
    b += data[offset + i + 1]! * query[i + 1]!
    c += data[offset + i + 2]! * query[i + 2]!
    d += data[offset + i + 3]! * query[i + 3]!
  }
  for (; i < query.length; i++) a += data[offset + i]! * query[i]!
  return a + b + (c + d)
}
