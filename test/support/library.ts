/** A library with a stand-in for the encoder: fixed random projections of its input, quick and the same everywhere. */
import path from 'node:path'
import type { LibraryDatabase } from '../../core/db/index.ts'
import { openDatabase } from '../../core/db/index.ts'
import type { Log } from '../../core/deps.ts'
import { readForIndex } from '../../core/images/index.ts'
import { ENCODER_PX } from '../../core/images/types.ts'
import { MemoryJournal } from '../../core/denoise/journal.ts'
import type { JobContext } from '../../core/jobs/types.ts'
import { openLibrary, type Library, type LibraryOptions } from '../../core/library/index.ts'
import { createRandom } from '../../core/random.ts'

export const DIMENSION = 128

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** An encoder that sees a 16 × 16 picture through `seed`'s projections. `encoded` counts what it was given. */
export function fakeInference(seed = 1) {
  const random = createRandom(seed)
  const side = 16
  const weights = Array.from({ length: DIMENSION }, () => Float32Array.from({ length: side * side * 3 }, () => random.normal()))
  const inference = {
    encoded: 0,
    encoderHash: (): string | null => `encoder-${seed}`,
    descriptorLength: () => DIMENSION,
    models: () => [],
    relations: () => ({ copy: 0.95, nearDuplicate: 0.85, similar: 0.6 }),
    async encode(inputs: Uint8Array[]): Promise<Float32Array[]> {
      inference.encoded += inputs.length
      return inputs.map((input) => unit(project(shrink(input, side), weights)))
    },
  }
  return inference
}

export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

function project(input: Float32Array, weights: Float32Array[]): Float32Array {
  return Float32Array.from(weights, (row) => row.reduce((sum, weight, at) => sum + weight * input[at]!, 0))
}

/** Mean colours of side × side blocks, their overall mean taken away. */
function shrink(input: Uint8Array, side: number): Float32Array {
  const block = ENCODER_PX / side
  const means = new Float32Array(side * side * 3)
  for (let y = 0; y < ENCODER_PX; y++) {
    for (let x = 0; x < ENCODER_PX; x++) {
      for (let c = 0; c < 3; c++) {
        means[(Math.floor(y / block) * side + Math.floor(x / block)) * 3 + c]! += input[(y * ENCODER_PX + x) * 3 + c]! / block ** 2
      }
    }
  }
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length
  return means.map((value) => value - mean)
}

/** A job that is never paused. `abort` cancels it; `onProgress` sees every change. */
export function fakeJob({
  abort = new AbortController(),
  onProgress,
}: { abort?: AbortController; onProgress?: (state: Progress) => void } = {}) {
  const progress: Progress = { done: 0, failed: 0, total: null, current: null }
  const job: JobContext = {
    jobId: 1,
    signal: abort.signal,
    journal: new MemoryJournal(),
    checkpoint: async () => abort.signal.throwIfAborted(),
    progress: (change) => {
      Object.assign(progress, change)
      onProgress?.(progress)
    },
  }
  return { job, progress, abort }
}

interface Progress {
  done: number
  failed: number
  total: number | null
  current: string | null
}

export interface OpenedLibrary {
  library: Library
  database: LibraryDatabase
  inference: ReturnType<typeof fakeInference>
  /** Paths that were read and decoded, in order. */
  decoded: string[]
  /** One index job over everything, or one folder. */
  index(folderId?: number): ReturnType<Library['index']>
  close(): Promise<void>
}

/** Opens the library in `dir`, counting what is decoded. */
export async function openTestLibrary(
  dir: string,
  options: Partial<LibraryOptions> & { inference?: ReturnType<typeof fakeInference> } = {},
): Promise<OpenedLibrary> {
  const readOnly = options.readOnly ?? false
  const inference = options.inference ?? fakeInference()
  const decoded: string[] = []
  const read = options.readForIndex ?? ((file, maxPixels) => readForIndex(file, file, maxPixels))
  const database = openDatabase(path.join(dir), { readOnly, log: silent })
  const library = await openLibrary({
    watch: false,
    log: silent,
    ...options,
    database,
    readOnly,
    inference,
    readForIndex: (file, ...rest) => {
      decoded.push(file)
      return read(file, ...rest)
    },
  })
  return {
    library,
    database,
    inference,
    decoded,
    index: (folderId) => library.index({ folderId }, fakeJob().job),
    async close() {
      await library.close()
      database.close()
    },
  }
}
