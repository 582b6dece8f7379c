import { join } from 'node:path'
import { expect, test } from 'vitest'
import { measurement } from '../../../core/contract/index.ts'
import { decodeHere } from '../../../core/decoder/index.ts'
import { measureDenoisers } from '../../../core/denoise/index.ts'
import { writePicture } from '../../../core/images/index.ts'
import type { Inference, Placement } from '../../../core/inference/index.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'
import { HalvingInference, jobContext } from './halving.ts'

/** Takes as long as the device and the threads say, and answers what it was given; on CUDA it falls back. */
class TimedInference extends HalvingInference {
  now: Placement = { device: 'cpu', threads: 1 }
  override devices = async () => ['cpu', 'cuda', 'webgpu'] as never
  override configure: Inference['configure'] = (placement) => void (this.now = placement)
  override placement: Inference['placement'] = () =>
    this.now.device === 'cuda'
      ? { device: 'cpu', threads: this.now.threads, fellBack: 'CUDA failed' }
      : ({ ...this.now, fellBack: null } as never)
  override denoiseFloat: Inference['denoiseFloat'] = async (_, planes) => {
    const milliseconds = this.now.device === 'webgpu' ? 5 : this.now.threads === 4 ? 90 : 40
    if (planes.width > 64) await new Promise((resolve) => setTimeout(resolve, milliseconds))
    return planes
  }
}

test('every tier on every device, with the count of threads that is fastest; what fails is a row with its error', async () => {
  const inference = new TimedInference()
  const context = jobContext()
  const { measurement: found, fastest } = await measureDenoisers(
    { inference, decoder: decodeHere },
    { sigma: 25, version: '1.2.3', cores: 4 },
    context,
  )
  expect(measurement.parse(found)).toEqual(found)
  expect(found).toMatchObject({ version: '1.2.3', cores: 4, sigma: 25, picture: { name: null, width: 768, height: 512 } })
  expect(found.rows.map(({ device, tier, threads, error }) => [device, tier, threads, error?.code])).toEqual([
    ['cpu', 'fast', 2, undefined],
    ['cpu', 'best', 2, undefined],
    ['cuda', 'fast', 2, 'INFERENCE_FAILED'],
    ['cuda', 'best', 2, 'INFERENCE_FAILED'],
    ['webgpu', 'fast', 2, undefined],
    ['webgpu', 'best', 2, undefined],
  ])
  // Noise of σ 25, some of it clipped away, and a denoiser that does nothing.
  expect(found.psnrNoisy).toBeGreaterThan(20.1)
  expect(found.psnrNoisy).toBeLessThan(21)
  expect(found.rows[0]!.psnr).toBeCloseTo(found.psnrNoisy)
  expect(fastest).toMatchObject({ device: 'webgpu', threads: 2 })
  expect(context.changes.at(-1)).toMatchObject({ done: 8, total: 8 })
})

test('on the middle of a picture of one’s own', async () => {
  const path = join(await temporaryFolder(), 'mine.tiff')
  await writePicture(makePicture(1100, 90, 1, 16), path, { format: 'tiff', bitDepth: 'keep', quality: 90 })
  const options = { sigma: 10, version: '1', cores: 1, picture: { path, name: 'mine.tiff' } }
  const { measurement: found } = await measureDenoisers({ inference: new TimedInference(), decoder: decodeHere }, options, jobContext())
  expect(found.picture).toEqual({ name: 'mine.tiff', width: 1024, height: 90 })
  expect(found.psnrNoisy).toBeCloseTo(20 * Math.log10(255 / 10), 0)
})

test('a cancelled measurement stops', async () => {
  const context = jobContext((count, context) => count === 2 && context.cancel())
  await expect(
    measureDenoisers({ inference: new TimedInference(), decoder: decodeHere }, { sigma: 25, version: '1', cores: 1 }, context),
  ).rejects.toThrow()
})
