import { afterAll, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { isClean, type NoiseEstimate } from '../../../core/denoise/index.ts'
import { createInference, ModelRegistry } from '../../../core/inference/index.ts'
import { createRandom } from '../../../core/random.ts'
import { MODELS_DIR } from '../../support/engine.ts'
import { makePhoto } from '../../support/pictures.ts'
import { spawnNodeInferenceWorker } from './worker.ts'

/** The shipped estimator on pictures drawn here. Tolerances are wide: a better model must not fail them. */
const inference = createInference({
  registry: await ModelRegistry.open(MODELS_DIR),
  spawnWorker: spawnNodeInferenceWorker,
  threads: 2,
  log: console,
})
afterAll(() => inference.close())

const [width, height] = [320, 256]
const raw = { raw: { width, height, channels: 3 as const } }

type Sigma = number | ((value: number, x: number) => number)

/** Adds rounded, clipped Gaussian noise to 8-bit RGB samples and estimates it. */
function estimate(
  clean: ArrayLike<number>,
  sigma: Sigma,
  { bitDepth = 8 as 8 | 16, channels = 3 as 1 | 3 | 4 } = {},
): Promise<NoiseEstimate> {
  const random = createRandom(99)
  const scale = bitDepth === 8 ? 1 : 257
  const buffer = new SharedArrayBuffer(width * height * channels * (bitDepth / 8))
  const samples = bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)
  for (let index = 0; index < samples.length; index++) {
    const [pixel, channel] = [Math.floor(index / channels), index % channels]
    if (channel === 3) {
      samples[index] = 255
      continue
    }
    const value = clean[3 * pixel + channel]!
    const level = typeof sigma === 'number' ? sigma : sigma(value, pixel % width)
    samples[index] = Math.min(255 * scale, Math.max(0, Math.round((value + level * random.normal()) * scale)))
  }
  return inference.estimateNoise({ buffer, width, height, channels, bitDepth })
}

const flat = (level: number) => new Uint8Array(width * height * 3).fill(level)
/** Dark on the left, bright on the right. */
const gradient = Uint8Array.from({ length: width * height * 3 }, (_, index) => 30 + 190 * ((Math.floor(index / 3) % width) / width))
// Its own grain is taken off: what is left is the truth.
const photo = await sharp(await makePhoto(createRandom(4), { width: 2 * width, height: 2 * height }), {
  raw: { width: 2 * width, height: 2 * height, channels: 3 },
})
  .resize(width, height)
  .blur(0.6)
  .raw()
  .toBuffer()

const near = (sigma: number) => Math.max(1.2, 0.2 * sigma)

describe('white noise', () => {
  test.each([5, 10, 15, 25, 35, 50])('of σ %d, on flat and on textured pictures, and the map is even', async (sigma) => {
    for (const clean of [flat(128), gradient, photo]) {
      const found = await estimate(clean, sigma)
      expect(isClean(found.sigma)).toBe(false)
      expect(Math.abs(found.sigma - sigma)).toBeLessThan(near(sigma))
      for (const value of found.map.sigma) expect(Math.abs(value - sigma)).toBeLessThan(2.5 * near(sigma))
    }
  })

  test('16 bits, alpha and grey are in the same unit', async () => {
    for (const options of [{ bitDepth: 16 as const }, { channels: 4 as const }, { channels: 1 as const }])
      expect(Math.abs((await estimate(gradient, 20, options)).sigma - 20)).toBeLessThan(near(20) + 2)
  })

  test('is the same every time', async () => {
    const [first, second] = [await estimate(photo, 15), await estimate(photo, 15)]
    expect(first).toEqual(second)
  })
})

test('noise that rises with the brightness gives a map that rises', async () => {
  const { map } = await estimate(gradient, (value) => 4 + value / 10)
  const column = (x: number) => map.sigma[8 * map.columns + x]!
  expect(Math.abs(column(2) - 8)).toBeLessThan(4)
  expect(Math.abs(column(map.columns - 3) - 24)).toBeLessThan(6)
})

describe('clean pictures read clean', () => {
  test.each([0, 128, 255])('a field of %d', async (level) => {
    expect(isClean((await estimate(flat(level), 0)).sigma)).toBe(true)
  })
  test('a gradient, and a drawn photograph as it is, blurred, and as JPEG', async () => {
    const blurred = await sharp(photo, raw).blur(1.5).raw().toBuffer()
    const jpegs = await Promise.all(
      [50, 75, 92].map(async (quality) =>
        sharp(await sharp(photo, raw).jpeg({ quality }).toBuffer())
          .raw()
          .toBuffer(),
      ),
    )
    for (const clean of [gradient, photo, blurred, ...jpegs]) expect(isClean((await estimate(clean, 0)).sigma)).toBe(true)
  })
  test('a page of text', async () => {
    const lines = Array.from(
      { length: 14 },
      (_, line) => `<rect x="${20 + (line % 3) * 9}" y="${15 + line * 16}" width="${240 - line * 7}" height="6"/>`,
    )
    const page = await sharp(
      Buffer.from(
        `<svg width="${width}" height="${height}"><rect width="${width}" height="${height}" fill="#fff"/>${lines.join('')}</svg>`,
      ),
    )
      .removeAlpha()
      .raw()
      .toBuffer()
    expect(isClean((await estimate(page, 0)).sigma)).toBe(true)
  })
})

test.each([12, 20])('noise of σ %d that a camera has smoothed and saved as JPEG is not called clean', async (sigma) => {
  const random = createRandom(5)
  const noisy = Uint8Array.from(photo, (value) => Math.min(255, Math.max(0, Math.round(value + sigma * random.normal()))))
  const smoothed = await sharp(await sharp(noisy, raw).blur(0.7).jpeg({ quality: 88 }).toBuffer())
    .raw()
    .toBuffer()
  const truth = await sharp(photo, raw).blur(0.7).raw().toBuffer()
  const left = Math.sqrt(smoothed.reduce((sum, value, index) => sum + (value - truth[index]!) ** 2, 0) / smoothed.length)
  const found = await estimate(smoothed, 0)
  expect(isClean(found.sigma)).toBe(false)
  expect(found.sigma).toBeGreaterThan(0.6 * left)
  expect(found.sigma).toBeLessThan(3 * left)
})

test('24 megapixels take no longer than 4', async () => {
  const [wide, high] = [6000, 4000]
  const buffer = new SharedArrayBuffer(3 * wide * high)
  new Uint8Array(buffer).fill(120)
  const started = performance.now()
  const { map } = await inference.estimateNoise({ buffer, width: wide, height: high, channels: 3, bitDepth: 8 })
  expect(map).toMatchObject({ columns: 375, rows: 250 })
  // 0.6 s where nothing else runs.
  expect(performance.now() - started).toBeLessThan(6000)
})
