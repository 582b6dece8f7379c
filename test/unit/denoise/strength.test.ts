import { expect, test } from 'vitest'
import { lumaOf } from '../../../core/contract/index.ts'
import { mixStrength } from '../../../core/denoise/strength.ts'
import { samplesOf } from '../../../core/images/picture.ts'
import { makePicture } from '../images/samples.ts'

test.each([8, 16] as const)(
  '%i bits: 0 is the original, 100 the denoised, between them a rounded mixture; alpha stays',
  async (bitDepth) => {
    const original = makePicture(50, 40, 4, bitDepth)
    const denoised = makePicture(50, 40, 4, bitDepth, 200)
    const before = Buffer.from(original.buffer)
    const mix = (strength: number) => mixStrength(original, denoised.buffer, { strength, texture: 0 })
    expect(Buffer.compare(Buffer.from(await mix(0)), before)).toBe(0)
    expect(Buffer.compare(Buffer.from(await mix(100)), Buffer.from(denoised.buffer))).toBe(0)
    const expected = Array.from(samplesOf(original), (value, index) =>
      index % 4 === 3 ? value : Math.round(value + (samplesOf(denoised)[index]! - value) * 0.3),
    )
    expect(Array.from(samplesOf({ buffer: await mix(30), bitDepth }))).toEqual(expected)
    expect(Buffer.compare(Buffer.from(original.buffer), before)).toBe(0)
  },
)

test('texture 100 gives the original’s luma and the denoised colours; half of it, half of the luma', async () => {
  const original = makePicture(60, 40, 3, 16, 20)
  const denoised = makePicture(60, 40, 3, 16, 0)
  const [o, d] = [samplesOf(original), samplesOf(denoised)]
  const luma = (samples: ArrayLike<number>, at: number) => lumaOf(samples[at]!, samples[at + 1]!, samples[at + 2]!)
  for (const [texture, share] of [
    [100, 1],
    [50, 0.5],
  ] as const) {
    const mixed = samplesOf({ buffer: await mixStrength(original, denoised.buffer, { strength: 100, texture }), bitDepth: 16 })
    for (let at = 0; at < mixed.length; at += 3) {
      // Within rounding: Y moves the share of the way from the denoised to the original, R − Y and B − Y are the denoised picture's.
      expect(Math.abs(luma(mixed, at) - (luma(d, at) + share * (luma(o, at) - luma(d, at))))).toBeLessThan(1)
      expect(Math.abs(mixed[at]! - luma(mixed, at) - (d[at]! - luma(d, at)))).toBeLessThan(1.5)
      expect(Math.abs(mixed[at + 2]! - luma(mixed, at) - (d[at + 2]! - luma(d, at)))).toBeLessThan(1.5)
    }
  }
})

test('of a grey picture all that was removed is luma: texture 100 is the original', async () => {
  const original = makePicture(30, 20, 2, 8, 30)
  const denoised = makePicture(30, 20, 2, 8, 0)
  const mixed = await mixStrength(original, denoised.buffer, { strength: 100, texture: 100 })
  expect(Buffer.compare(Buffer.from(mixed), Buffer.from(original.buffer))).toBe(0)
})

test('what is put back is clipped, not wrapped', async () => {
  const original = { ...makePicture(4, 4, 3, 8), buffer: new SharedArrayBuffer(48) }
  const denoised = new SharedArrayBuffer(48)
  new Uint8Array(original.buffer).fill(255)
  const after = new Uint8Array(denoised)
  // Blue keeps its level while green fell: the luma of green's loss would lift blue beyond the scale.
  for (let at = 0; at < 48; at += 3) after.set([255, 55, 255], at)
  const mixed = new Uint8Array(await mixStrength(original, denoised, { strength: 100, texture: 100 }))
  expect([mixed[0], mixed[1], mixed[2]]).toEqual([255, Math.round(55 + 0.7152 * 200), 255])
})
