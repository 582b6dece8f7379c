import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { estimateNoise, type NoisyPicture } from '../../../core/denoise/estimate.ts'
import { createRandom } from '../../../core/random.ts'
import { sharedData } from '../../support/data.ts'
import { makePhoto } from '../../support/pictures.ts'

/** Adds rounded, clipped Gaussian noise to 8-bit samples; the picture is 8 or 16 bits deep. */
function withNoise(
  clean: ArrayLike<number>,
  width: number,
  height: number,
  channels: NoisyPicture['channels'],
  sigma: number,
  bitDepth: 8 | 16 = 8,
): NoisyPicture {
  const random = createRandom(99 + sigma)
  const scale = bitDepth === 8 ? 1 : 257
  const buffer = new SharedArrayBuffer(clean.length * (bitDepth / 8))
  const samples = bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)
  for (let index = 0; index < samples.length; index++) {
    samples[index] = Math.min(255 * scale, Math.max(0, Math.round((clean[index]! + sigma * random.normal()) * scale)))
  }
  return { buffer, width, height, channels, bitDepth }
}

const SIGMAS = [2, 5, 10, 25, 50, 75]

describe('flat pictures', () => {
  for (const level of [10, 40, 128, 220]) {
    test.each(SIGMAS)(`level ${level}, σ %d`, (sigma) => {
      const picture = withNoise(new Float32Array(256 * 256 * 3).fill(level), 256, 256, 3, sigma)
      const allowed = Math.max(0.25, sigma * 0.1)
      expect(Math.abs(estimateNoise(picture) - sigma)).toBeLessThan(allowed)
    })
  }

  test('without noise it is zero, black and white included', () => {
    for (const level of [0, 128, 255]) expect(estimateNoise(withNoise(new Float32Array(64 * 64).fill(level), 64, 64, 1, 0))).toBe(0)
  })

  test('grey and 16 bits are in the same unit', () => {
    const level = new Float32Array(256 * 256).fill(128)
    expect(estimateNoise(withNoise(level, 256, 256, 1, 10))).toBeCloseTo(10, 0)
    expect(estimateNoise(withNoise(level, 256, 256, 1, 10, 16))).toBeCloseTo(10, 0)
  })
})

describe('drawn photographs', async () => {
  const [width, height] = [480, 320]
  // Its own grain, uniform over six levels, has a σ of 1.7.
  const clean = await makePhoto(createRandom(4), { width, height })
  test.each(SIGMAS)('texture is not taken for noise: σ %d', (sigma) => {
    const truth = Math.hypot(sigma, 1.7)
    expect(Math.abs(estimateNoise(withNoise(clean, width, height, 3, sigma)) - truth)).toBeLessThan(Math.max(0.8, sigma * 0.12))
  })
})

describe('noise that a camera has smoothed', async () => {
  const size = { width: 640, height: 480 }
  const clean = await makePhoto(createRandom(8), size)
  const raw = { raw: { ...size, channels: 3 as const } }
  // The drawn grain is smoothed with the noise: what is left of both is the truth.
  const truth = await sharp(clean, raw).blur(20).raw().toBuffer()

  test.each([12, 15])(
    'σ %d before a blur and JPEG is told as the σ that removes it, though its high frequencies are gone',
    async (sigma) => {
      const white = withNoise(truth, size.width, size.height, 3, sigma)
      const jpeg = await sharp(new Uint8Array(white.buffer), raw).blur(0.8).jpeg({ quality: 90 }).toBuffer()
      const { data } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
      const left = Math.sqrt(data.reduce((sum, value, index) => sum + (value - truth[index]!) ** 2, 0) / data.length)
      const found = estimateNoise(withNoise(data, size.width, size.height, 3, 0))
      expect(left).toBeGreaterThan(1.5)
      expect(found).toBeGreaterThan(left)
      expect(found).toBeLessThan(left * 2.2)
    },
  )

  test('a blurred picture without noise is clean', () => {
    expect(estimateNoise(withNoise(truth, size.width, size.height, 3, 0))).toBeLessThan(1)
  })
})

test('a page of text on white is not noise', async () => {
  const lines = Array.from(
    { length: 24 },
    (_, line) => `<rect x="${20 + (line % 3) * 9}" y="${20 + line * 15}" width="${300 - line * 7}" height="6"/>`,
  ).join('')
  const page = await sharp(Buffer.from(`<svg width="400" height="400"><rect width="400" height="400" fill="#fff"/>${lines}</svg>`))
    .removeAlpha()
    .raw()
    .toBuffer()
  expect(estimateNoise(withNoise(page, 400, 400, 3, 0))).toBeLessThan(1)
})

test('pictures smaller than a block say nothing', () => {
  expect(estimateNoise(withNoise(new Float32Array(7 * 7).fill(90), 7, 7, 1, 20))).toBe(0)
})

test('24 megapixels take no longer than a small picture', () => {
  const [width, height] = [6000, 4000]
  const buffer = new SharedArrayBuffer(width * height * 3)
  new Uint8Array(buffer).fill(120)
  const started = performance.now()
  estimateNoise({ buffer, width, height, channels: 3, bitDepth: 8 })
  // 60 ms where nothing else runs.
  expect(performance.now() - started).toBeLessThan(1000)
})

describe('photographs', async () => {
  const folder = sharedData('eval/kodak24')
  test.skipIf(!folder)('Kodak: within 4 % and 0.4 levels from σ 5 to 50', { timeout: 60_000 }, async () => {
    const names = (await readdir(folder!)).filter((name) => /\.(png|jpg)$/.test(name)).slice(0, 3)
    for (const name of names) {
      const { data, info } = await sharp(join(folder!, name))
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
      for (const sigma of [5, 25, 50]) {
        const found = estimateNoise(withNoise(data, info.width, info.height, 3, sigma))
        expect(Math.abs(found - sigma), `${name} σ ${sigma}: ${found}`).toBeLessThan(0.4 + sigma * 0.04)
      }
    }
  })
})
