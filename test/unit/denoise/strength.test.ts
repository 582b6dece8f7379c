import { expect, test } from 'vitest'
import { mixStrength } from '../../../core/denoise/strength.ts'
import { samplesOf } from '../../../core/images/picture.ts'
import { makePicture } from '../images/samples.ts'

test.each([8, 16] as const)('%i bits: 0 is the original, 100 the denoised, between them a rounded mixture', async (bitDepth) => {
  const original = makePicture(50, 40, 4, bitDepth)
  const denoised = makePicture(50, 40, 4, bitDepth, 200)
  const before = Buffer.from(original.buffer)
  expect(Buffer.compare(Buffer.from(await mixStrength(original, denoised.buffer, 0)), before)).toBe(0)
  expect(Buffer.compare(Buffer.from(await mixStrength(original, denoised.buffer, 100)), Buffer.from(denoised.buffer))).toBe(0)
  const mixed = samplesOf({ buffer: await mixStrength(original, denoised.buffer, 30), bitDepth })
  const expected = Array.from(samplesOf(original), (value, index) => Math.round(value + (samplesOf(denoised)[index]! - value) * 0.3))
  expect(Array.from(mixed)).toEqual(expected)
  expect(Buffer.compare(Buffer.from(original.buffer), before)).toBe(0)
})
