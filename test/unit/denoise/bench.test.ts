import { join } from 'node:path'
import { expect, test } from 'vitest'
import { benchClean, benchGaussian, benchPairs, CLEAN_CAP } from '../../../cli/bench/denoise.ts'
import { psnr, ssim, type PlanarPicture } from '../../../cli/bench/metrics.ts'
import { writePicture } from '../../../core/images/index.ts'
import type { Planes } from '../../../core/inference/index.ts'
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

/** Changes nothing. */
const idle = { name: 'idle', denoise: async (noisy: Planes) => noisy }

test('noise has the σ that was asked for, is the same in every run and however few pictures are taken', async () => {
  const folder = await temporaryFolder()
  for (const name of ['a', 'b', 'c', 'd']) await writePicture(makePicture(120, 100, 3, 8), join(folder, `${name}.png`), settings)
  const all = await benchGaussian({ folder, sigmas: [25, 50] }, [idle], { log })
  expect(all.images).toBe(4)
  for (const { sigma, noisy, denoised } of all.results) {
    // Unclipped noise: the noisy pictures measure exactly what σ says. Clipping alone takes some away.
    expect(noisy.psnr).toBeCloseTo(10 * Math.log10((255 / sigma) ** 2), 0)
    expect(denoised['idle']!.psnr).toBeGreaterThan(noisy.psnr)
    expect(new Set(noisy.perImage.map(({ psnr }) => psnr)).size).toBe(4)
  }
  const two = await benchGaussian({ folder, sigmas: [50], limit: 2 }, [idle], { log })
  const { perImage } = all.results[1]!.noisy
  expect(two.results[0]!.noisy.perImage).toEqual([perImage[0], perImage[2]])
})

test('every denoiser is shown the same noise, and told its σ', async () => {
  const folder = await temporaryFolder()
  await writePicture(makePicture(60, 60, 3, 8), join(folder, 'a.png'), settings)
  const shown: { data: Float32Array; sigma: number }[] = []
  const watching = (name: string) => ({
    name,
    denoise: async (noisy: Planes, sigma: number) => (shown.push({ data: noisy.data, sigma }), noisy),
  })
  await benchGaussian({ folder, sigmas: [15, 25] }, [watching('one'), watching('two')], { log })
  expect(shown.map(({ sigma }) => sigma)).toEqual([15, 15, 25, 25])
  expect(shown[0]!.data).toEqual(shown[1]!.data)
})

test('pairs are denoised blindly, by each tier; a noisy picture without its clean one is no pair', async () => {
  const folder = await temporaryFolder()
  await writePicture(makePicture(60, 60, 3, 8), join(folder, 'x_mean.png'), settings)
  await writePicture(makePicture(60, 60, 3, 8, 40), join(folder, 'x_real.png'), settings)
  await writePicture(makePicture(60, 60, 3, 8, 40), join(folder, 'alone_real.png'), settings)
  const inference = new HalvingInference()
  const { images, untouched, denoised } = await benchPairs({ folder }, inference, ['fast', 'best'], { log })
  expect(images).toBe(1)
  expect(denoised.fast!.perImage).toEqual([expect.objectContaining({ name: 'x_mean.png', sigma: 10 })])
  // Halving is no way to remove noise.
  expect(denoised.best!.psnr).toBeLessThan(untouched.psnr)
  expect(inference.tiles.map(({ tier }) => tier)).toEqual(['fast', 'best'])
  for (const { sigma } of inference.tiles) expect(sigma).toMatchObject({ columns: 4, rows: 4, cell: 16 })
})

test('clean pictures: one left as it is counts the cap, the worst is the one changed most', async () => {
  const folder = await temporaryFolder()
  const pictures = ['a', 'b'].map((name) => ({ set: name, path: join(folder, `${name}.png`) }))
  for (const { path } of pictures) await writePicture(makePicture(60, 60, 3, 8), path, settings)
  const inference = new HalvingInference()
  inference.estimated = 0
  const untouched = await benchClean(pictures, inference, ['best'], { log })
  expect(untouched.denoised.best).toMatchObject({ mean: CLEAN_CAP, worst: CLEAN_CAP })
  expect(inference.tiles).toEqual([])
  inference.estimated = 10
  const { worst, mean, perImage } = (await benchClean(pictures, inference, ['best'], { log })).denoised.best!
  expect(worst).toBeLessThan(20)
  expect(mean).toBeCloseTo(worst, 10)
  expect(perImage.map(({ set }) => set)).toEqual(['a', 'b'])
})

test('a folder without pictures is said', async () => {
  const folder = await temporaryFolder()
  await expect(benchGaussian({ folder, sigmas: [25] }, [idle], { log })).rejects.toMatchObject({ code: 'BAD_REQUEST', path: folder })
  const gone = join(folder, 'gone')
  await expect(benchGaussian({ folder: gone, sigmas: [25] }, [idle], { log })).rejects.toMatchObject({ code: 'FOLDER_NOT_FOUND' })
  await expect(benchPairs({ folder }, new HalvingInference(), ['fast'], { log })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})
