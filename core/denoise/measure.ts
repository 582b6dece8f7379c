import { cpus } from 'node:os'
import { LucidexError, TIERS, toErrorData, type Device, type ErrorData, type Measurement, type Tier } from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import { samplesOf, withBitDepth, type Picture } from '../images/index.ts'
import type { Inference, Placement, Planes } from '../inference/index.ts'
import type { JobContext } from '../jobs/types.ts'
import { createRandom } from '../random.ts'
import { inSlices } from '../slices.ts'

/** The side of the square that is measured on: a megapixel takes seconds, and is many tiles' worth. */
const SIDE_MAX = 1024
const DRAWN = { width: 768, height: 512 }
const SEED = 20_261_121

export interface MeasureOptions {
  /** A clean picture of the user's own. */
  picture?: { path: string; name: string }
  /** σ of the noise that is added, 8-bit units. */
  sigma: number
  version: string
  cores: number
}

export interface Measured {
  measurement: Measurement
  /** The fastest device and count of threads for the fast tier, or null where nothing ran. */
  fastest: (Placement & { secondsPerMegapixel: number }) | null
}

/**
 * Measures the denoisers on this machine: first how many threads serve the CPU best, then the speed and the
 * PSNR of every tier on every device, on the middle of a clean picture with Gaussian noise that is neither clipped
 * nor rounded (the protocol of `bench denoise`). It leaves the inference as the last device has it: put it back.
 * A device that fails is a row with its error. Errors: those of reading the picture, and a cancelled job's.
 */
export async function measureDenoisers(
  { inference, decoder }: { inference: Inference; decoder: Pick<PictureDecoder, 'readPicture'> },
  options: MeasureOptions,
  context: JobContext,
): Promise<Measured> {
  const { sigma, cores } = options
  const clean = options.picture ? await middleOf(await decoder.readPicture(options.picture.path)) : await drawPicture()
  const noisy = await addNoise(clean, sigma)
  const devices = await inference.devices()
  const counts = [...new Set([cores, Math.max(1, Math.ceil(cores / 2))])].map((count) => Math.min(count, 64))
  let done = 0
  const total = counts.length + devices.length * TIERS.length
  const step = async (current: string) => {
    await context.checkpoint()
    context.progress({ done: done++, total, current })
  }

  let threads = counts[0]!
  let best = Number.POSITIVE_INFINITY
  for (const count of counts) {
    await step(`CPU, ${count} threads`)
    const { secondsPerMegapixel } = await run('fast', { device: 'cpu', threads: count })
    if (secondsPerMegapixel < best) [best, threads] = [secondsPerMegapixel, count]
  }
  const rows: Measurement['rows'] = []
  for (const device of devices) {
    let failure: Measurement['rows'][number]['error']
    for (const tier of TIERS) {
      await step(`${device.toUpperCase()}, ${tier}`)
      const measured = await row(tier, device, failure)
      failure = measured.error
      rows.push(measured)
    }
  }
  context.progress({ done: total, total, current: null })

  const [fastest] = rows
    .filter(({ tier, error }) => tier === 'fast' && !error)
    .sort((a, b) => a.secondsPerMegapixel - b.secondsPerMegapixel)
  return {
    measurement: {
      version: options.version,
      platform: `${process.platform}-${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores,
      measuredAt: Date.now(),
      picture: { name: options.picture?.name ?? null, width: clean.width, height: clean.height },
      sigma,
      psnrNoisy: await psnr(clean, noisy),
      rows,
    },
    fastest: fastest ? { device: fastest.device, threads, secondsPerMegapixel: fastest.secondsPerMegapixel } : null,
  }

  /** A device that has failed with one tier is not tried with the next. */
  async function row(tier: Tier, device: Device, failure: ErrorData | undefined): Promise<Measurement['rows'][number]> {
    const model = inference.models().find((candidate) => candidate.kind === 'denoiser' && candidate.tier === tier)?.id ?? tier
    try {
      if (failure) throw new LucidexError(failure.code, failure.message)
      const { denoised, secondsPerMegapixel } = await run(tier, { device, threads })
      return { model, tier, device, threads, secondsPerMegapixel, psnr: await psnr(clean, denoised) }
    } catch (thrown) {
      return { model, tier, device, threads, secondsPerMegapixel: 0, psnr: 0, error: toErrorData(thrown) }
    }
  }

  /** What fell back was measured on the CPU and says nothing of the device. */
  function refuseFallback(): void {
    const { fellBack } = inference.placement()
    if (fellBack !== null) throw new LucidexError('INFERENCE_FAILED', fellBack)
  }

  async function run(tier: Tier, placement: Placement): Promise<{ denoised: Planes; secondsPerMegapixel: number }> {
    inference.configure(placement)
    // The first run loads the model and, on a GPU, compiles it for this size.
    if (placement.device === 'cpu')
      await inference.denoiseFloat(tier, { data: new Float32Array(3 * 64 * 64), width: 64, height: 64 }, sigma)
    else await inference.denoiseFloat(tier, noisy, sigma)
    refuseFallback()
    const started = performance.now()
    const denoised = await inference.denoiseFloat(tier, noisy, sigma)
    refuseFallback()
    return { denoised, secondsPerMegapixel: (performance.now() - started) / 1000 / ((noisy.width * noisy.height) / 1e6) }
  }
}

async function middleOf(whole: Picture): Promise<Planes> {
  const picture = await withBitDepth(whole, 8)
  const [width, height] = [Math.min(picture.width, SIDE_MAX), Math.min(picture.height, SIDE_MAX)]
  const [left, top] = [(picture.width - width) >> 1, (picture.height - height) >> 1]
  const samples = samplesOf(picture)
  const data = new Float32Array(3 * width * height)
  await byRows(height, (y) => {
    for (let plane = 0; plane < 3; plane++) {
      const channel = picture.channels < 3 ? 0 : plane
      for (let x = 0; x < width; x++) {
        const from = ((top + y) * picture.width + left + x) * picture.channels + channel
        data[(plane * height + y) * width + x] = samples[from]! / 255
      }
    }
  })
  return { data, width, height }
}

/** A few milliseconds of rows at a time. */
function byRows(height: number, body: (y: number) => void): Promise<void> {
  const some = (start: number, end: number) => {
    for (let y = start; y < end; y++) body(y)
  }
  return inSlices(height, some, 16)
}

/** Smooth light, edges at every angle and a fine weave. */
async function drawPicture(): Promise<Planes> {
  const { width, height } = DRAWN
  const random = createRandom(SEED)
  const discs = Array.from({ length: 60 }, () => ({
    x: random.next() * width,
    y: random.next() * height,
    radius: 10 + random.next() * 90,
    colour: [random.next(), random.next(), random.next()],
    weave: random.next() < 0.5 ? 0 : 0.12,
  }))
  const data = new Float32Array(3 * width * height)
  await byRows(height, (y) => {
    for (let x = 0; x < width; x++) {
      const disc = discs.findLast((candidate) => Math.hypot(x - candidate.x, y - candidate.y) < candidate.radius)
      for (let plane = 0; plane < 3; plane++) {
        const ground = 0.5 + 0.3 * Math.sin((x * (plane + 2)) / 210 + y / 160)
        const value = disc ? disc.colour[plane]! + disc.weave * Math.sin(x * 0.9) * Math.sin(y * 0.7) : ground
        data[(plane * height + y) * width + x] = Math.round(255 * Math.min(1, Math.max(0, value))) / 255
      }
    }
  })
  return { data, width, height }
}

async function addNoise(clean: Planes, sigma: number): Promise<Planes> {
  const random = createRandom(SEED)
  const data = new Float32Array(clean.data.length)
  const some = (start: number, end: number) => {
    for (let index = start; index < end; index++) data[index] = clean.data[index]! + (sigma / 255) * random.normal()
  }
  await inSlices(data.length, some, 100_000)
  return { ...clean, data }
}

/** dB, both rounded to 8 bits. */
async function psnr(clean: Planes, other: Planes): Promise<number> {
  const level = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)))
  let squares = 0
  await inSlices(clean.data.length, (start, end) => {
    for (let index = start; index < end; index++) squares += (level(clean.data[index]!) - level(other.data[index]!)) ** 2
  })
  return 10 * Math.log10((255 ** 2 * clean.data.length) / squares)
}
