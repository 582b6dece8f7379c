import { join } from 'node:path'
import sharp from 'sharp'
import { LucidexError, type Tier } from '../../core/contract/index.ts'
import { chooseSigma, denoisePicture } from '../../core/denoise/index.ts'
import type { Log } from '../../core/deps.ts'
import { readPicture, withBitDepth, type Picture } from '../../core/images/index.ts'
import type { Inference, Planes } from '../../core/inference/index.ts'
import { createRandom, seedFrom } from '../../core/random.ts'
import { psnr, ssimAgainst, type PlanarPicture } from './metrics.ts'
import { evenly, picturesIn, planar } from './pictures.ts'

/** PSNR in dB and SSIM, over R, G and B. */
export interface Scores {
  psnr: number
  ssim: number
}

/** The means, and each picture's own. */
export interface SetScores extends Scores {
  perImage: ({ name: string } & Scores)[]
}

export interface BenchContext {
  log: Log
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

interface FolderOptions {
  folder: string
  /** Only this many pictures, evenly spaced over the sorted files. */
  limit?: number
}

/** One of the denoisers that are measured beside each other. */
export interface Denoiser {
  name: string
  /** Planes of 0..1 where noise does not leave that range, σ in 8-bit units; the answer is not clipped. */
  denoise(noisy: Planes, sigma: number): Promise<Planes>
}

export interface GaussianReport {
  images: number
  results: {
    /** σ of the added noise, 8-bit units. */
    sigma: number
    noisy: SetScores
    /** By the denoiser's name. */
    denoised: Record<string, SetScores>
  }[]
}

const SEED = 20_261_121

/**
 * The protocol of the published tables: Gaussian noise of each σ, neither clipped nor rounded, is added to the
 * 8-bit samples from a fixed seed; the denoisers are told the true σ; their output is rounded to 8 bits;
 * the pictures' PSNRs are averaged. Embedded profiles are not applied.
 *
 * A file that cannot be read is named in the log and left out. Errors: FOLDER_NOT_FOUND, BAD_REQUEST when
 * there is nothing to measure, and those of the denoisers; an AbortError by `signal`.
 */
export async function benchGaussian(
  { folder, limit, sigmas }: FolderOptions & { sigmas: readonly number[] },
  denoisers: readonly Denoiser[],
  context: BenchContext,
): Promise<GaussianReport> {
  const noisy = sigmas.map(() => new Tally())
  const denoised = sigmas.map(() => denoisers.map(() => new Tally()))
  await eachPicture(evenly(await picturesIn(folder), limit), folder, context, async (name, index) => {
    const truth = planar(await readEightBit(join(folder, name)))
    const ssim = ssimAgainst(truth)
    const random = createRandom(seedFrom(SEED, index))
    const grain = new Float32Array(truth.data.length)
    for (let at = 0; at < grain.length; at++) grain[at] = random.normal()
    for (const [level, sigma] of sigmas.entries()) {
      const data = grain.map((value, at) => truth.data[at]! + sigma * value)
      noisy[level]!.add(name, truth, { ...truth, data }, ssim)
      for (const [order, { denoise }] of denoisers.entries()) {
        context.signal?.throwIfAborted()
        const result = await denoise({ data: data.map((value) => value / 255), width: truth.width, height: truth.height }, sigma)
        denoised[level]![order]!.add(name, truth, { ...truth, data: rounded(result.data) }, ssim)
      }
    }
  })
  return {
    images: noisy[0]?.count ?? 0,
    results: sigmas.map((sigma, level) => ({
      sigma,
      noisy: noisy[level]!.scores(),
      denoised: Object.fromEntries(denoisers.map(({ name }, order) => [name, denoised[level]![order]!.scores()])),
    })),
  }
}

function rounded(data: Float32Array): Uint8ClampedArray {
  const levels = new Uint8ClampedArray(data.length)
  for (let index = 0; index < data.length; index++) levels[index] = data[index]! * 255
  return levels
}

/** A denoiser left to itself, as the app's `--sigma auto`. */
export interface BlindScores extends SetScores {
  perImage: ({ name: string; sigma: number } & Scores)[]
}

export interface BlindReport {
  images: number
  untouched: SetScores
  denoised: Partial<Record<Tier, BlindScores>>
}

/** Couples `*_real.*`, noisy, and `*_mean.*`, clean: the noise is estimated, and a picture found clean is left as it is. Errors: as {@link benchGaussian}. */
export async function benchPairs(
  { folder, limit }: FolderOptions,
  inference: Inference,
  tiers: readonly Tier[],
  context: BenchContext,
): Promise<BlindReport> {
  const clean = (await picturesIn(folder)).filter((name) => name.includes('_mean.'))
  const untouched = new Tally()
  const denoised = tiers.map(() => new Tally())
  const sigmas: number[] = []
  await eachPicture(evenly(clean, limit), folder, context, async (name) => {
    const truth = await readEightBit(join(folder, name))
    const path = join(folder, name.replace('_mean.', '_real.'))
    const noisy = await readEightBit(path)
    if (noisy.width !== truth.width || noisy.height !== truth.height) {
      throw new LucidexError('BAD_REQUEST', 'The two pictures of the pair differ in size', { path })
    }
    const planes = planar(truth)
    const ssim = ssimAgainst(planes)
    const { sigma, results } = await denoiseBlind(noisy, inference, tiers, context)
    sigmas.push(sigma)
    untouched.add(name, planes, planar(noisy), ssim)
    for (const [order, result] of results.entries()) denoised[order]!.add(name, planes, planar(result), ssim)
  })
  return { images: untouched.count, untouched: untouched.scores(), denoised: byTier(tiers, denoised, sigmas) }
}

/** A clean picture, and the set it was taken from. */
export interface CleanPicture {
  set: string
  path: string
}

export interface CleanReport {
  images: number
  /** How near the output is to the input, PSNR in dB; a picture counts {@link CLEAN_CAP} at the most. */
  denoised: Partial<Record<Tier, { mean: number; worst: number; perImage: ({ name: string; set: string; sigma: number } & Scores)[] }>>
}

/** An untouched picture has infinite PSNR; this counts as untouched. */
export const CLEAN_CAP = 60

/** Denoises pictures that have no noise, blindly: what changes them is damage. Errors: as {@link benchGaussian}. */
export async function benchClean(
  pictures: readonly CleanPicture[],
  inference: Inference,
  tiers: readonly Tier[],
  context: BenchContext,
): Promise<CleanReport> {
  const tallies = tiers.map(() => new Tally())
  const sigmas: number[] = []
  const sets: string[] = []
  const chosen = pictures.map(({ path }, index) => ({ value: path, index }))
  await eachPicture(chosen, '', context, async (path, index) => {
    const picture = await readEightBit(path)
    const planes = planar(picture)
    const ssim = ssimAgainst(planes)
    const { sigma, results } = await denoiseBlind(picture, inference, tiers, context)
    sigmas.push(sigma)
    sets.push(pictures[index]!.set)
    for (const [order, result] of results.entries()) tallies[order]!.add(path, planes, planar(result), ssim, CLEAN_CAP)
  })
  const denoised: CleanReport['denoised'] = {}
  for (const [order, tier] of tiers.entries()) {
    const { psnr: mean, perImage } = tallies[order]!.scores()
    const worst = Math.min(...perImage.map((image) => image.psnr))
    denoised[tier] = { mean, worst, perImage: perImage.map((image, at) => ({ ...image, set: sets[at]!, sigma: sigmas[at]! })) }
  }
  return { images: sigmas.length, denoised }
}

/** Side of the smallest photograph that {@link cleanPictures} takes: smaller ones are thumbnails. */
const PHOTO_MIN = 256

/**
 * Forty clean pictures that nothing here was trained on, evenly spaced over their folders' sorted files, not picked
 * by eye: 12 of Kodak24 and 12 of CBSD68, as they were scanned, and 16 JPEG photographs of the web, as people have them,
 * with a short side of at least 256 pixels. `data` holds eval/ and retrieval/.
 */
export async function cleanPictures(data: string, limit?: number): Promise<CleanPicture[]> {
  const chosen: CleanPicture[] = []
  for (const { set, folder, count, side } of [
    { set: 'Kodak24', folder: join(data, 'eval', 'kodak24'), count: 12, side: 0 },
    { set: 'CBSD68', folder: join(data, 'eval', 'cbsd68'), count: 12, side: 0 },
    { set: 'photographs', folder: join(data, 'retrieval', 'photos-1000'), count: 16, side: PHOTO_MIN },
  ]) {
    const paths = (await picturesIn(folder)).map((name) => join(folder, name))
    const large: string[] = []
    for (const path of paths) if (side === 0 || (await shortSide(path)) >= side) large.push(path)
    chosen.push(...evenly(large, count).map(({ value }) => ({ set, path: value })))
  }
  return evenly(chosen, limit).map(({ value }) => value)
}

async function shortSide(path: string): Promise<number> {
  const { width, height } = await sharp(path).metadata()
  return Math.min(width, height)
}

async function denoiseBlind(
  picture: Picture,
  inference: Inference,
  tiers: readonly Tier[],
  { signal }: BenchContext,
): Promise<{ sigma: number; results: Picture[] }> {
  const estimate = await inference.estimateNoise(picture)
  const sigma = chooseSigma('auto', estimate)
  if (sigma === 0) return { sigma: 0, results: tiers.map(() => picture) }
  const checkpoint = async () => signal?.throwIfAborted()
  const results: Picture[] = []
  for (const tier of tiers) results.push({ ...picture, buffer: await denoisePicture(inference, picture, { tier, sigma }, { checkpoint }) })
  return { sigma: estimate.sigma, results }
}

function readEightBit(path: string): Promise<Picture> {
  return readPicture(path).then((picture) => withBitDepth(picture, 8))
}

/** Measures the pictures one after the other; one that cannot be read is named in the log and left out. */
async function eachPicture(
  chosen: readonly { value: string; index: number }[],
  folder: string,
  { log, signal, onProgress }: BenchContext,
  measure: (name: string, index: number) => Promise<void>,
): Promise<void> {
  let measured = 0
  for (const { value, index } of chosen) {
    signal?.throwIfAborted()
    onProgress?.(`${measured + 1} of ${chosen.length}: ${value}`)
    try {
      await measure(value, index)
      measured++
    } catch (thrown) {
      if (signal?.aborted || !(thrown instanceof LucidexError) || thrown.path === undefined || /^(MODEL|INFERENCE)_/.test(thrown.code))
        throw thrown
      log.warn(`${thrown.path} is left out: ${thrown.message}`)
    }
  }
  if (measured === 0) throw new LucidexError('BAD_REQUEST', 'There is nothing to measure here', { path: folder })
}

/** Scores of picture after picture. */
class Tally {
  readonly #perImage: ({ name: string } & Scores)[] = []

  get count(): number {
    return this.#perImage.length
  }

  add(name: string, truth: PlanarPicture, result: PlanarPicture, ssim: (result: PlanarPicture) => number, cap = Number.POSITIVE_INFINITY) {
    this.#perImage.push({ name, psnr: Math.min(cap, psnr(truth, result)), ssim: ssim(result) })
  }

  scores(): SetScores {
    const mean = (of: (image: Scores) => number) => this.#perImage.reduce((sum, image) => sum + of(image), 0) / this.count
    return { psnr: mean((image) => image.psnr), ssim: mean((image) => image.ssim), perImage: this.#perImage }
  }
}

function byTier(tiers: readonly Tier[], tallies: readonly Tally[], sigmas: readonly number[]): Partial<Record<Tier, BlindScores>> {
  const scores: Partial<Record<Tier, BlindScores>> = {}
  for (const [order, tier] of tiers.entries()) {
    const set = tallies[order]!.scores()
    scores[tier] = { ...set, perImage: set.perImage.map((image, at) => ({ ...image, sigma: sigmas[at]! })) }
  }
  return scores
}
