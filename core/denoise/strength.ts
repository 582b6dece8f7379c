import { samplesOf } from '../images/picture.ts'
import type { Picture } from '../images/types.ts'
import { inSlices } from '../slices.ts'

/**
 * The picture with a share of the denoised one mixed in: original + (denoised − original) · strength / 100,
 * rounded. No inference; 0 is exactly the original, 100 exactly the denoised. Runs in slices.
 *
 * @param denoised samples shaped like the original's
 * @param strength 0..100
 */
export async function mixStrength(original: Picture, denoised: SharedArrayBuffer, strength: number): Promise<SharedArrayBuffer> {
  if (strength <= 0) return original.buffer
  if (strength >= 100) return denoised
  const { bitDepth } = original
  const before = samplesOf(original)
  const after = samplesOf({ buffer: denoised, bitDepth })
  const buffer = new SharedArrayBuffer(denoised.byteLength)
  const mixed = samplesOf({ buffer, bitDepth })
  const share = strength / 100
  await inSlices(before.length, (start, end) => {
    for (let index = start; index < end; index++) mixed[index] = Math.round(before[index]! + (after[index]! - before[index]!) * share)
  })
  return buffer
}
