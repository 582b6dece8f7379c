import { join } from 'node:path'
import { expect, test } from 'vitest'
import { benchDenoise } from '../../../cli/bench-denoise.ts'
import { psnr, ssim, type PlanarPicture } from '../../../cli/bench/metrics.ts'
import { writePicture } from '../../../core/images/index.ts'
import { createRandom } from '../../../core/random.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'
import { HalvingInference } from './halving.ts'

const log = { info() {}, warn() {}, error() {} }
const settings = { format: 'png', bitDepth: 'keep', quality: 90 } as const

function planes(change: (value: number, index: number) => number): PlanarPicture {
  const random = createRandom(1)
  const data = Float64Array.from({ length: 64 * 64 * 3 }, (_, index) =>
    change(100 + 60 * Math.sin((index % 64) / 5) + 10 * random.next(), index),
  )
  return { data, width: 64, height: 64, planes: 3 }
}

test('PSNR: every sample off by 16 is 24.05 dB', () => {
  expect(
    psnr(
      planes((value) => value),
      planes((value) => value + 16),
    ),
  ).toBeCloseTo(10 * Math.log10(255 ** 2 / 16 ** 2), 10)
  expect(
    psnr(
      planes((value) => value),
      planes((value) => value),
    ),
  ).toBe(Number.POSITIVE_INFINITY)
})

test('SSIM: 1 for equal, by the formula for a constant picture that is brighter, near 0 for an unrelated one', () => {
  expect(
    ssim(
      planes((value) => value),
      planes((value) => value),
    ),
  ).toBeCloseTo(1, 12)
  const constant = (level: number) => planes(() => level)
  const c1 = (0.01 * 255) ** 2
  expect(ssim(constant(100), constant(150))).toBeCloseTo((2 * 100 * 150 + c1) / (100 ** 2 + 150 ** 2 + c1), 10)
  const random = createRandom(2)
  expect(
    ssim(
      planes(() => 128 + 40 * random.normal()),
      planes(() => 128 + 40 * random.normal()),
    ),
  ).toBeLessThan(0.1)
})

test('noise has the σ that was asked for, is the same in every run and however few pictures are taken', async () => {
  const data = await temporaryFolder()
  for (const name of ['a', 'b', 'c', 'd']) await writePicture(makePicture(120, 100, 3, 8), join(data, `${name}.png`), settings)
  const inference = new HalvingInference()
  const run = (limit?: number) => benchDenoise({ data, sigma: 25, tier: 'best', limit }, inference, log)
  const all = await run()
  expect(all.images).toBe(4)
  // Unclipped noise: the noisy pictures measure exactly what σ says. The stand-in network changes nothing.
  expect(all.noisyPsnr).toBeCloseTo(10 * Math.log10((255 / 25) ** 2), 0)
  expect(all.psnr).toBeGreaterThan(all.noisyPsnr)
  const two = await run(2)
  expect(two.perImage).toEqual([all.perImage[0], all.perImage[2]])
  expect(new Set(all.perImage.map(({ psnr }) => psnr)).size).toBe(4)
})

test('pairs are denoised blindly; a noisy picture without its clean one is no pair', async () => {
  const pairs = await temporaryFolder()
  await writePicture(makePicture(60, 60, 3, 8), join(pairs, 'x_mean.png'), settings)
  await writePicture(makePicture(60, 60, 3, 8, 40), join(pairs, 'x_real.png'), settings)
  await writePicture(makePicture(60, 60, 3, 8, 40), join(pairs, 'alone_real.png'), settings)
  const inference = new HalvingInference()
  const { images, perImage } = await benchDenoise({ pairs, sigma: 25, tier: 'fast' }, inference, log)
  expect(images).toBe(1)
  expect(perImage[0]).toMatchObject({ name: 'x_mean.png', sigma: 10 })
  expect(inference.tiles.length).toBeGreaterThan(0)
  for (const { sigma } of inference.tiles) expect(sigma).toMatchObject({ columns: 4, rows: 4, cell: 16 })
})

test('a folder without pictures is said', async () => {
  const data = await temporaryFolder()
  await expect(benchDenoise({ data, sigma: 25, tier: 'fast' }, new HalvingInference(), log)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    path: data,
  })
  await expect(benchDenoise({ data: join(data, 'gone'), sigma: 25, tier: 'fast' }, new HalvingInference(), log)).rejects.toMatchObject({
    code: 'FOLDER_NOT_FOUND',
  })
})
