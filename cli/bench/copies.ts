import { readdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { LucidexError } from '../../core/contract/index.ts'
import type { Log } from '../../core/deps.ts'
import { READABLE_EXTENSIONS, readForQuery } from '../../core/images/index.ts'
import type { Inference } from '../../core/inference/index.ts'
import { createRandom, seedFrom } from '../../core/random.ts'
import { applySteps, readPixels, type AttackSuite, type Pixels } from './attacks.ts'
import { DescriptorTable, HashTable } from './tables.ts'

export interface CopiesOptions {
  suite: AttackSuite
  /** Folder whose pictures are damaged and looked for; folders inside it count. */
  data: string
  /** Folder of pictures that only stand in the way. */
  distractors?: string
  /** How many pictures of `data` are damaged, evenly spaced over its sorted files. */
  queries: number
  /** Names of the attacks to run; without it, all of the suite. */
  attacks?: string[]
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

export interface CopiesReport {
  /** Shares of the queries, 0..1. */
  attacks: { name: string; recallAt1: number; recallAt10: number; phashRecallAt1: number }[]
  /** Mean of recallAt1 over the attacks, and of pHash's. */
  mean: number
  phashMean: number
  queries: number
  /** Pictures searched. */
  database: number
  /** Median time to read, encode and look up one undamaged picture, one at a time. */
  millisecondsPerQuery: number
}

interface Entry {
  path: string
  contentHash: string
}

/** Pictures under way at once: enough to keep two cores busy between decoding, damage and inference. */
const IN_FLIGHT = 4

/**
 * How often a damaged picture still finds its original first among all pictures of both folders.
 *
 * Each query is damaged at full size, stored without loss and read as the app reads a picture searched
 * by; its descriptor is compared with every other by an exact scan. Files with equal bytes count as one
 * picture. Beside it, a 64-bit DCT hash (pHash) answers the same queries by Hamming distance; where other
 * pictures are as near as the original, the hit is shared out among them, as if ties were broken at random.
 *
 * A file that cannot be read is named in the log and left out.
 */
export async function benchCopies(options: CopiesOptions, inference: Inference, log: Log): Promise<CopiesReport> {
  const { suite, signal, onProgress = () => {} } = options
  const attacks = [...suite.attacks.entries()].filter(([, { name }]) => options.attacks?.includes(name) ?? true)

  const queryFiles = await picturesIn(options.data)
  const files = [...queryFiles, ...(options.distractors === undefined ? [] : await picturesIn(options.distractors))]
  const entries: (Entry | undefined)[] = files.map(() => undefined)
  const descriptors = new DescriptorTable(files.length)
  const hashes = new HashTable(files.length)
  let read = 0
  await inFlight([...files.entries()], signal, async ([index, file]) => {
    const picture = await readForQuery(file).catch((error: unknown) => {
      log.warn(`left out ${file}: ${error instanceof Error ? error.message : String(error)}`)
    })
    if (!picture) return
    const [descriptor] = await inference.encode([picture.encoderInput])
    entries[index] = { path: file, contentHash: picture.contentHash }
    descriptors.set(index, descriptor!)
    hashes.set(index, picture.perceptualHash)
    if (++read % 20 === 0) onProgress(`reading ${read} of ${files.length} pictures`)
  })

  const readable = queryFiles.flatMap((_, index) => (entries[index] ? [index] : []))
  const chosen = evenlySpaced(readable, options.queries)
  if (chosen.length === 0)
    throw new LucidexError('FILE_NOT_FOUND', `${options.data} holds no picture that can be read`, { path: options.data })

  const tallies = attacks.map(([, { name }]) => ({ name, first: 0, amongTen: 0, hashed: 0 }))
  let done = 0
  await inFlight(chosen, signal, async (index) => {
    const original = entries[index]!
    const isSame = (other: number) => entries[other]?.contentHash === original.contentHash
    const pixels = await readPixels(original.path)
    const queries = []
    for (const [attackIndex, { steps }] of attacks) {
      signal?.throwIfAborted()
      const damaged = await applySteps(pixels, steps, createRandom(seedFrom(suite.seed, index, attackIndex)))
      queries.push(await readForQuery(await withoutLoss(damaged)))
    }
    const found = await inference.encode(queries.map((query) => query.encoderInput))
    for (const [at, tally] of tallies.entries()) {
      const ahead = descriptors.countAhead(found[at]!, index, isSame)
      if (ahead === 0) tally.first++
      if (ahead < 10) tally.amongTen++
      tally.hashed += hashes.shareOfFirst(queries[at]!.perceptualHash, index, isSame)
    }
    onProgress(`${++done} of ${chosen.length} pictures damaged and looked for`)
  })

  const rows = tallies.map(({ name, first, amongTen, hashed }) => ({
    name,
    recallAt1: first / chosen.length,
    recallAt10: amongTen / chosen.length,
    phashRecallAt1: hashed / chosen.length,
  }))
  return {
    attacks: rows,
    mean: mean(rows.map((row) => row.recallAt1)),
    phashMean: mean(rows.map((row) => row.phashRecallAt1)),
    queries: chosen.length,
    database: read,
    millisecondsPerQuery: await timeQueries(
      evenlySpaced(chosen, 30).map((index) => entries[index]!.path),
      inference,
      descriptors,
    ),
  }
}

/** Every readable-looking file below a folder, sorted by name. Errors: FOLDER_NOT_FOUND. */
async function picturesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new LucidexError('FOLDER_NOT_FOUND', `${folder} is not a folder that can be read`, { path: folder, cause })
  })
  return names
    .filter((name) => READABLE_EXTENSIONS.has(path.extname(name).toLowerCase()))
    .sort()
    .map((name) => path.join(folder, name))
}

export function evenlySpaced<T>(values: readonly T[], count: number): T[] {
  if (count >= values.length) return [...values]
  return Array.from({ length: count }, (_, index) => values[Math.floor((index * values.length) / count)]!)
}

function withoutLoss({ data, width, height }: Pixels): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .tiff({ compression: 'none' })
    .toBuffer()
}

async function inFlight<T>(values: readonly T[], signal: AbortSignal | undefined, work: (value: T) => Promise<void>): Promise<void> {
  const queue = values.values()
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (const value of queue) {
        signal?.throwIfAborted()
        await work(value)
      }
    }),
  )
}

async function timeQueries(files: string[], inference: Inference, descriptors: DescriptorTable): Promise<number> {
  const times: number[] = []
  for (const file of files) {
    const started = performance.now()
    const { encoderInput } = await readForQuery(file)
    const [descriptor] = await inference.encode([encoderInput])
    descriptors.countAhead(descriptor!, 0, () => false)
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
