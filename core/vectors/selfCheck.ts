import { createRandom } from '../random.ts'
import { scanExact, scoreIds } from './exact.ts'
import type { Graph } from './graph.ts'
import { decode, encodeQuery, type VectorStore } from './store.ts'
import { TopK } from './topK.ts'

const K = 10
const SAMPLES = 100
/** Length of the noise added to a vector to make a query of it: their cosine is some 0.98, as of a picture and its copy. */
const NOISE = 0.2

export interface RecallCheck {
  /** Of the ten nearest vectors that an exact scan finds, the share that the graph finds; from 0 to 1. */
  at10: number
  /** How many queries it is the mean of. */
  samples: number
}

/**
 * What a graph finds, against an exact scan of the same rows: stored vectors with a little noise are the
 * queries. A row that scores what the tenth does counts as found, whichever of several equal ones it is.
 * `giveWay` is awaited between queries. Undefined when there is nothing to compare, or `signal` aborts.
 */
export async function checkRecall(
  store: VectorStore,
  graph: Graph,
  breadth: number,
  { giveWay, signal }: { giveWay: () => Promise<void>; signal: AbortSignal },
): Promise<RecallCheck | undefined> {
  const random = createRandom(graph.through)
  let samples = 0
  let recall = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    await giveWay()
    if (signal.aborted) return undefined
    const covered = store.rowsUpTo(graph.through)
    const row = random.integer(covered)
    if (covered === 0 || store.image(row) === 0) continue
    const floats = noisy(decode(store.code(row)), random)
    const query = encodeQuery(floats)
    const exact = new TopK(K)
    await scanExact(store, query, exact, { to: covered })
    const found = new TopK(K)
    scoreIds(store, query, found, graph.search(floats, K, breadth))
    const wanted = exact.sorted()
    const worst = wanted.at(-1)
    if (!worst) continue
    recall += found.sorted().filter(({ score }) => score >= worst.score).length / wanted.length
    samples++
  }
  return samples === 0 ? undefined : { at10: recall / samples, samples }
}

function noisy(vector: number[], random: { normal(): number }): number[] {
  const sum = vector.map((value) => value + (NOISE / Math.sqrt(vector.length)) * random.normal())
  const length = Math.hypot(...sum) || 1
  return sum.map((value) => value / length)
}
