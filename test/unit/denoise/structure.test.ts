import { expect, test } from 'vitest'
import { measureStructureLoss, STRUCTURE_LIMIT, type NoiseEstimate } from '../../../core/denoise/index.ts'
import type { Picture } from '../../../core/images/index.ts'
import { createRandom } from '../../../core/random.ts'

const [WIDTH, HEIGHT] = [320, 240]

/** Smooth on the left, a weave of this contrast on the right; and what noise of σ makes of it. Answers both as a picture and a buffer. */
function weave(contrast: number, sigma: (level: number) => number, smooth = WIDTH / 2): { clean: Picture; noisy: Picture } {
  const random = createRandom(5)
  const make = () => new SharedArrayBuffer(WIDTH * HEIGHT * 3)
  const [clean, noisy] = [make(), make()]
  const [truth, seen] = [new Uint8Array(clean), new Uint8Array(noisy)]
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const level = 70 + (110 * y) / HEIGHT
      const pattern = x < smooth ? 0 : contrast * Math.sin(x * 1.1) * Math.sin(y * 0.9)
      for (let c = 0; c < 3; c++) {
        const at = (y * WIDTH + x) * 3 + c
        truth[at] = Math.round(level + pattern)
        seen[at] = Math.min(255, Math.max(0, Math.round(level + pattern + sigma(level) * random.normal())))
      }
    }
  }
  const picture = { width: WIDTH, height: HEIGHT, channels: 3, bitDepth: 8, format: 'png', tags: {}, profile: null, notes: [] } as const
  return { clean: { ...picture, buffer: clean, notes: [] }, noisy: { ...picture, buffer: noisy, notes: [] } }
}

/** What the estimator says where noise of σ follows the brightness of the rows. */
function estimate(sigma: (level: number) => number): NoiseEstimate {
  const cell = 16
  const [columns, rows] = [WIDTH / cell, HEIGHT / cell]
  const levels = new Float32Array(new SharedArrayBuffer(4 * columns * rows))
  for (let index = 0; index < levels.length; index++) levels[index] = sigma(70 + (110 * (Math.floor(index / columns) + 0.5)) / rows)
  return { sigma: sigma(125), map: { sigma: levels, columns, rows, cell } }
}
const everywhere = (sigma: number) => estimate(() => sigma)

test('where only the noise went, nothing is lost', async () => {
  const { clean, noisy } = weave(12, () => 10)
  expect((await measureStructureLoss(noisy, clean.buffer, everywhere(10))).loss).toBeLessThan(0.01)
})

test('noise that grows with brightness is no structure', async () => {
  const { clean, noisy } = weave(12, (level) => level / 10)
  for (const told of [everywhere(8), estimate((level) => level / 10)]) {
    expect((await measureStructureLoss(noisy, clean.buffer, told)).loss).toBeLessThan(STRUCTURE_LIMIT / 2)
  }
})

test('where the weave went too, that is told, and where', async () => {
  const { noisy } = weave(12, () => 6)
  const flat = weave(0, () => 6).clean
  const { loss, worst } = await measureStructureLoss(noisy, flat.buffer, everywhere(6))
  expect(loss).toBeGreaterThan(3 * STRUCTURE_LIMIT)
  expect(worst!.x + worst!.width / 2).toBeGreaterThan(WIDTH / 2 - 128)
  expect(worst!.x + worst!.width).toBeLessThanOrEqual(WIDTH)
})

test('half of the weave gone is less than all of it', async () => {
  const { noisy } = weave(12, () => 6)
  const loss = async (left: number) => (await measureStructureLoss(noisy, weave(left, () => 6).clean.buffer, everywhere(6))).loss
  const [none, half, all] = [await loss(12), await loss(6), await loss(0)]
  expect(none).toBeLessThan(half)
  expect(half).toBeLessThan(all)
})

test('weak noise that the estimate missed is no structure', async () => {
  const { clean, noisy } = weave(12, () => 2.5)
  expect((await measureStructureLoss(noisy, clean.buffer, everywhere(0))).loss).toBeLessThan(STRUCTURE_LIMIT / 2)
})

test('where a weave that was everywhere went, that is told, too', async () => {
  const { clean, noisy } = weave(30, () => 6, 0)
  const flat = weave(0, () => 6, 0).clean
  expect((await measureStructureLoss(noisy, clean.buffer, everywhere(6))).loss).toBeLessThan(0.01)
  expect((await measureStructureLoss(noisy, flat.buffer, everywhere(6))).loss).toBeGreaterThan(3 * STRUCTURE_LIMIT)
})

test('an untouched picture has lost nothing', async () => {
  const { noisy } = weave(12, () => 6)
  expect(await measureStructureLoss(noisy, noisy.buffer, everywhere(6))).toEqual({ loss: 0, worst: null })
})
