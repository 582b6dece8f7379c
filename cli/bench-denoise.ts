import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { LucidexError, type Tier } from '../core/contract/index.ts'
import { chooseSigma, denoisePicture } from '../core/denoise/index.ts'
import type { Log } from '../core/deps.ts'
import { READABLE_EXTENSIONS, readPicture, samplesOf, withBitDepth, type Picture } from '../core/images/index.ts'
import type { Inference } from '../core/inference/index.ts'
import { createRandom, seedFrom } from '../core/random.ts'
import { psnr, ssim, type PlanarPicture } from './bench/metrics.ts'

export interface DenoiseBenchOptions {
  /** Folder of clean pictures, to which noise is added. */
  data?: string
  /** Instead: folder of couples `*_real.*`, noisy, and `*_mean.*`, clean; denoised blindly. */
  pairs?: string
  /** σ of the added noise in 8-bit units; of no concern to pairs. */
  sigma: number
  tier: Tier
  /** Only this many pictures, evenly spaced over the sorted files. */
  limit?: number
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

/** PSNR in dB and SSIM of one picture; `noisy…` before denoising. */
interface Scores {
  psnr: number
  ssim: number
  noisyPsnr: number
  noisySsim: number
}

export interface DenoiseBenchReport extends Scores {
  /** Time in the network, its model loaded before. */
  secondsPerMegapixel: number
  images: number
  perImage: ({ name: string; sigma: number } & Scores)[]
}

const SEED = 20_261_121

/**
 * How well the denoiser restores pictures: means of per-picture PSNR and SSIM over R, G and B.
 *
 * With clean pictures, the protocol of the published tables: Gaussian noise of the given σ, neither
 * clipped nor rounded, is added to the 8-bit samples from a fixed seed; the network is told the true σ; its
 * output is rounded to 8 bits. Embedded profiles are not applied. With pairs the app's own way is
 * measured: the σ is estimated, and a picture found clean is left as it is.
 *
 * A file that cannot be read is named in the log and left out. Errors: FOLDER_NOT_FOUND, BAD_REQUEST when
 * there is nothing to measure, and those of the inference; an AbortError by `signal`.
 */
export async function benchDenoise(options: DenoiseBenchOptions, inference: Inference, log: Log): Promise<DenoiseBenchReport> {
  const { tier, limit, signal, onProgress = () => {} } = options
  const folder = options.pairs ?? options.data
  if (folder === undefined) throw new LucidexError('BAD_REQUEST', 'A folder of clean pictures or of pairs is needed')
  const all = await picturesIn(folder)
  const clean = options.pairs === undefined ? all : all.filter((name) => name.includes('_mean.'))
  const chosen = evenly(clean, limit ?? clean.length)

  // The first call loads the model.
  await inference.denoiseFloat(tier, { data: new Float32Array(3 * 32 * 32), width: 32, height: 32 }, 25)
  const perImage: DenoiseBenchReport['perImage'] = []
  let seconds = 0
  let megapixels = 0
  for (const { name, index } of chosen) {
    signal?.throwIfAborted()
    onProgress(`${perImage.length + 1} of ${chosen.length}: ${name}`)
    try {
      const truth = await withBitDepth(await readPicture(join(folder, name)), 8)
      const measured =
        options.pairs === undefined ? await addNoise(truth, index) : await blind(truth, join(folder, name.replace('_mean.', '_real.')))
      const { noisy, denoised, sigma } = measured
      const clean = planar(truth)
      perImage.push({
        name,
        sigma,
        psnr: psnr(clean, denoised),
        ssim: ssim(clean, denoised),
        noisyPsnr: psnr(clean, noisy),
        noisySsim: ssim(clean, noisy),
      })
      seconds += measured.seconds
      megapixels += (truth.width * truth.height) / 1e6
    } catch (thrown) {
      if (signal?.aborted || !(thrown instanceof LucidexError) || thrown.path === undefined || /^(MODEL|INFERENCE)_/.test(thrown.code))
        throw thrown
      log.warn(`${thrown.path} is left out: ${thrown.message}`)
    }
  }
  if (perImage.length === 0)
    throw new LucidexError('BAD_REQUEST', options.pairs ? 'There are no pairs in this folder' : 'There are no pictures in this folder', {
      path: folder,
    })
  const mean = (of: (image: Scores) => number) => perImage.reduce((sum, image) => sum + of(image), 0) / perImage.length
  return {
    psnr: mean((image) => image.psnr),
    ssim: mean((image) => image.ssim),
    noisyPsnr: mean((image) => image.noisyPsnr),
    noisySsim: mean((image) => image.noisySsim),
    secondsPerMegapixel: seconds / megapixels,
    images: perImage.length,
    perImage,
  }

  async function addNoise(truth: Picture, index: number): Promise<Measured> {
    const { sigma } = options
    const { width, height, data } = planar(truth)
    const random = createRandom(seedFrom(SEED, index))
    const noisy = Float32Array.from(data, (value) => value + sigma * random.normal())
    const started = performance.now()
    const denoised = await inference.denoiseFloat(tier, { data: noisy.map((value) => value / 255), width, height }, sigma)
    const seconds = (performance.now() - started) / 1000
    const rounded = Uint8Array.from(denoised.data, (value) => Math.min(255, Math.max(0, Math.round(value * 255))))
    return { noisy: { data: noisy, width, height, planes: 3 }, denoised: { data: rounded, width, height, planes: 3 }, sigma, seconds }
  }

  async function blind(truth: Picture, path: string): Promise<Measured> {
    const noisy = await withBitDepth(await readPicture(path), 8)
    if (noisy.width !== truth.width || noisy.height !== truth.height) {
      throw new LucidexError('BAD_REQUEST', 'The two pictures of the pair differ in size', { path })
    }
    const estimate = await inference.estimateNoise(noisy)
    const sigma = chooseSigma('auto', estimate)
    const started = performance.now()
    const checkpoint = async () => signal?.throwIfAborted()
    const buffer = sigma === 0 ? noisy.buffer : await denoisePicture(inference, noisy, { tier, sigma }, { checkpoint })
    const seconds = (performance.now() - started) / 1000
    return { noisy: planar(noisy), denoised: planar({ ...noisy, buffer }), sigma: sigma === 0 ? 0 : estimate.sigma, seconds }
  }
}

interface Measured {
  noisy: PlanarPicture
  denoised: PlanarPicture
  sigma: number
  seconds: number
}

async function picturesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LucidexError('FOLDER_NOT_FOUND', 'The folder cannot be read', { path: folder, cause })
  })
  return names.filter((name) => READABLE_EXTENSIONS.has(extname(name).toLowerCase())).sort()
}

/** `count` of the names with their places among all, so that a picture's noise is the same however many are taken. */
function evenly(names: string[], count: number): { name: string; index: number }[] {
  const taken = Math.min(count, names.length)
  return Array.from({ length: taken }, (_, order) => Math.floor((order * names.length) / taken)).map((index) => ({
    name: names[index]!,
    index,
  }))
}

/** R, G and B planes of an 8-bit picture; grey is repeated, alpha left out. */
function planar(picture: Picture): PlanarPicture {
  const { width, height, channels } = picture
  const samples = samplesOf(picture)
  const size = width * height
  const data = new Uint8Array(3 * size)
  for (let plane = 0; plane < 3; plane++) {
    const channel = channels < 3 ? 0 : plane
    for (let pixel = 0; pixel < size; pixel++) data[plane * size + pixel] = samples[pixel * channels + channel]!
  }
  return { data, width, height, planes: 3 }
}
