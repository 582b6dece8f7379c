import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import { isClean } from '../../core/denoise/index.ts'
import { READABLE_EXTENSIONS, readPicture, samplesOf, withBitDepth, type Picture } from '../../core/images/index.ts'
import type { Inference } from '../../core/inference/index.ts'
import { createRandom, seedFrom } from '../../core/random.ts'

export interface NoiseBenchOptions {
  /** Folder of clean pictures: the textured ones. */
  data: string
  /** Only this many of them, evenly spaced over the sorted files. */
  limit?: number
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

/** What was estimated of pictures with the same noise. */
export interface Estimates {
  mean: number
  lowest: number
  highest: number
  /** Share of the pictures that were called clean. */
  clean: number
  /** How far the map strays from its mean in a picture, mean over the pictures: standard deviation by mean. */
  unevenness: number
}

export interface NoiseBenchReport {
  /** By the true σ, 8-bit units. */
  curve: { sigma: number; textured: Estimates; flat: Estimates }[]
  /** Pictures of each kind. */
  textured: number
  flat: number
}

const SIGMAS = [0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 50, 60, 75]
const SEED = 20_261_121
const FLAT_PX = 256

/**
 * The noise estimator's curve: white noise of a known σ is added to clean pictures, clipped and rounded as a file of 8 bits holds
 * it, and estimated as the app does. Textured pictures are the folder's; flat ones are made: grey and coloured
 * fields and gradients.
 */
export async function benchNoise(options: NoiseBenchOptions, inference: Inference): Promise<NoiseBenchReport> {
  const { data, limit = Number.POSITIVE_INFINITY, signal, onProgress = () => {} } = options
  const names = (
    await readdir(data).catch((cause: unknown) => {
      throw new LucidexError('FOLDER_NOT_FOUND', 'The folder cannot be read', { path: data, cause })
    })
  )
    .filter((name) => READABLE_EXTENSIONS.has(extname(name).toLowerCase()))
    .sort()
  if (names.length === 0) throw new LucidexError('BAD_REQUEST', 'There are no pictures in this folder', { path: data })
  const count = Math.min(limit, names.length)
  const chosen = Array.from({ length: count }, (_, order) => names[Math.floor((order * names.length) / count)]!)

  const measured = SIGMAS.map(() => ({ textured: [] as Measured[], flat: [] as Measured[] }))
  const flat = flatPictures()
  for (const [order, picture] of flat.entries()) await measure(picture, 'flat', order)
  for (const [order, name] of chosen.entries()) {
    onProgress(`${order + 1} of ${chosen.length}: ${name}`)
    await measure(await withBitDepth(await readPicture(join(data, name)), 8), 'textured', order)
  }
  return {
    curve: SIGMAS.map((sigma, index) => ({ sigma, textured: summary(measured[index]!.textured), flat: summary(measured[index]!.flat) })),
    textured: chosen.length,
    flat: flat.length,
  }

  async function measure(clean: Picture, kind: 'textured' | 'flat', order: number): Promise<void> {
    for (const [index, sigma] of SIGMAS.entries()) {
      signal?.throwIfAborted()
      const estimate = await inference.estimateNoise(noisy(clean, sigma, seedFrom(SEED, order, index)))
      const { sigma: map } = estimate.map
      const mean = map.reduce((sum, value) => sum + value, 0) / map.length
      const variance = map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / map.length
      measured[index]![kind].push({
        sigma: estimate.sigma,
        clean: isClean(estimate.sigma),
        unevenness: mean < 0.5 ? 0 : Math.sqrt(variance) / mean,
      })
    }
  }
}

interface Measured {
  sigma: number
  clean: boolean
  unevenness: number
}

function summary(all: Measured[]): Estimates {
  const mean = (of: (one: Measured) => number) => all.reduce((sum, one) => sum + of(one), 0) / all.length
  const sigmas = all.map(({ sigma }) => sigma)
  return {
    mean: mean(({ sigma }) => sigma),
    lowest: Math.min(...sigmas),
    highest: Math.max(...sigmas),
    clean: mean(({ clean }) => (clean ? 1 : 0)),
    unevenness: mean(({ unevenness }) => unevenness),
  }
}

function noisy(clean: Picture, sigma: number, seed: number): Picture {
  const random = createRandom(seed)
  const from = samplesOf(clean)
  const buffer = new SharedArrayBuffer(from.length)
  const to = new Uint8Array(buffer)
  for (let index = 0; index < to.length; index++) to[index] = Math.min(255, Math.max(0, Math.round(from[index]! + sigma * random.normal())))
  return { ...clean, buffer }
}

/** Fields of one colour, and gradients between two. */
function flatPictures(): Picture[] {
  const colours = [
    [60, 60, 60],
    [128, 128, 128],
    [200, 200, 200],
    [180, 90, 60],
    [50, 110, 170],
  ] as const
  const fields = colours.map((colour) => [colour, colour] as const)
  const gradients = colours.slice(1).map((colour, index) => [colours[index]!, colour] as const)
  return [...fields, ...gradients].map(([left, right]) => {
    const buffer = new SharedArrayBuffer(3 * FLAT_PX * FLAT_PX)
    const samples = new Uint8Array(buffer)
    for (let index = 0; index < samples.length; index++) {
      const share = (Math.floor(index / 3) % FLAT_PX) / (FLAT_PX - 1)
      samples[index] = Math.round((1 - share) * left[index % 3]! + share * right[index % 3]!)
    }
    return { buffer, width: FLAT_PX, height: FLAT_PX, channels: 3, bitDepth: 8, format: 'png', tags: {}, profile: null, notes: [] }
  })
}
