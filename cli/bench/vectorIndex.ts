import { fork } from 'node:child_process'
import path from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import { ROOT } from '../paths.ts'

/** How many are asked for where recall and speed are measured; the app asks for some 70. */
export const K = 10

export interface Latency {
  p50Ms: number
  p95Ms: number
}

export interface Built {
  /** From the vectors in the catalog to a graph that was checked. */
  seconds: number
  peakBytes: number
}

export interface Served {
  /** From the catalog and the snapshot to a graph that holds every vector. */
  openSeconds: number
  method: 'exact' | 'hnsw'
  recallAt10: number
  search: Latency
  /** As the app asks: for 72. */
  app: Latency
  /** While vectors are stored and added, so many a second. */
  ingesting: Latency & { vectorsPerSecond: number }
  /** Among so large a share of the images, chosen at random. */
  filtered: (Latency & { share: number; recallAt10: number })[]
  /** What the index's own check says. */
  check: { at10: number; samples: number } | null
  /** The process after all that, and the most that it was. */
  steadyBytes: number
  peakBytes: number
  /** Of the snapshot on disk. */
  bytes: number
  /** Processors that other programs kept busy meanwhile. */
  othersBusy: number
}

export interface Rebuilt {
  /** A quarter of the vectors was deleted: until the graph without them serves. */
  seconds: number
  peakBytes: number
  search: Latency
}

export interface Phases {
  build: Built
  serve: Served
  rebuild: Rebuilt
}

/** What is asked, and what the right answers are: beside the library, for the processes that measure. */
export interface Truth {
  dimension: number
  count: number
  queries: number[][]
  /** Images of the {@link K} nearest of all, for each query. */
  nearest: number[][]
  /** The same among those whose {@link draw} is below the share, for the first queries. */
  filtered: { share: number; nearest: number[][] }[]
}

/** A number in [0, 1) that an image's id always gives: who belongs to a filter's share. */
export function draw(image: number): number {
  let mixed = Math.imul(image ^ (image >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

/** Runs one phase over the library in `dir` in a process of its own, so that its memory is its own. Errors: CANCELLED, INTERNAL. */
export function inOwnProcess<P extends keyof Phases>(phase: P, dir: string, signal: AbortSignal): Promise<Phases[P]> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(ROOT, 'cli', 'bench', 'vectorIndexPhase.ts'), [phase, dir], {
      signal,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let said = ''
    let result: Phases[P] | undefined
    child.stderr!.on('data', (text) => (said = (said + text).slice(-2000)))
    child.on('message', (message) => (result = message as Phases[P]))
    child.once('error', (error) =>
      reject(signal.aborted ? new LucidexError('CANCELLED', 'Stopped') : new LucidexError('INTERNAL', error.message, { cause: error })),
    )
    child.once('exit', (status) => {
      if (result) resolve(result)
      else reject(new LucidexError('INTERNAL', `Measuring "${phase}" ended with ${status}: ${said}`))
    })
  })
}
