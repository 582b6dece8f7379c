import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import type { Log } from '../../core/deps.ts'
import { READABLE_EXTENSIONS, readForQuery, type QueryPicture } from '../../core/images/index.ts'
import type { Inference } from '../../core/inference/index.ts'
import { colourHistogram, rawPixels, shrunk } from './baselines.ts'
import { HashTable, VectorTable } from './tables.ts'

/** Pictures under way at once: enough to keep two cores busy between decoding, damage and inference. */
const IN_FLIGHT = 4
/** Pictures encoded in one message. */
const BATCH = 16

/** Every readable-looking file below a folder, sorted by name. Errors: FOLDER_NOT_FOUND. */
export async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new LucidexError('FOLDER_NOT_FOUND', `${folder} is not a folder that can be read`, { path: folder, cause })
  })
  return names
    .filter((name) => READABLE_EXTENSIONS.has(path.extname(name).toLowerCase()))
    .sort()
    .map((name) => path.join(folder, name))
}

/** One picture of a set that is searched. */
export interface Entry {
  path: string
  contentHash: string
}

/** The pictures of a set, and what the encoder and the baselines make of each. */
export interface PictureSet {
  /** In the order of the files; undefined where a file could not be read. */
  entries: (Entry | undefined)[]
  /** How many could be read. */
  count: number
  descriptors: VectorTable
  hashes: HashTable
  raw: VectorTable
  histograms: VectorTable
  /** Small pictures as they are, not of length 1. */
  colours: VectorTable
}

export interface Watched {
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

/** Reads a set as the library does; without `inference`, only for the baselines. A file that cannot be read is named in the log and left out. */
export async function readPictureSet(
  files: readonly string[],
  inference: Pick<Inference, 'encode'> | undefined,
  log: Log,
  { signal, onProgress = () => {} }: Watched,
): Promise<PictureSet> {
  const set: PictureSet = {
    entries: files.map(() => undefined),
    count: 0,
    descriptors: new VectorTable(files.length),
    hashes: new HashTable(files.length),
    raw: new VectorTable(files.length),
    histograms: new VectorTable(files.length),
    colours: new VectorTable(files.length),
  }
  await inFlight(chunks([...files.entries()], BATCH), signal, async (chunk) => {
    const read: { index: number; file: string; picture: QueryPicture }[] = []
    for (const [index, file] of chunk) {
      signal?.throwIfAborted()
      try {
        read.push({ index, file, picture: await readForQuery(file) })
      } catch (error) {
        log.warn(`left out ${file}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    const descriptors = await inference?.encode(read.map(({ picture }) => picture.encoderInput))
    for (const [at, { index, file, picture }] of read.entries()) {
      const { contentHash, perceptualHash, encoderInput } = picture
      set.entries[index] = { path: file, contentHash }
      if (descriptors) set.descriptors.set(index, descriptors[at]!)
      set.hashes.set(index, perceptualHash)
      set.raw.set(index, rawPixels(encoderInput))
      set.histograms.set(index, colourHistogram(encoderInput))
      set.colours.set(index, shrunk(encoderInput))
    }
    set.count += read.length
    onProgress(`reading ${set.count} of ${files.length} pictures`)
  })
  return set
}

export function evenlySpaced<T>(values: readonly T[], count: number): T[] {
  if (count >= values.length) return [...values]
  return Array.from({ length: count }, (_, index) => values[Math.floor((index * values.length) / count)]!)
}

/** Does `work` on every value, a few at once, in their order. */
export async function inFlight<T>(values: readonly T[], signal: AbortSignal | undefined, work: (value: T) => Promise<void>): Promise<void> {
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

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size))
}
