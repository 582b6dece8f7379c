import { lumaOf, mixSample, mixWeights } from '../contract/index.ts'
import { samplesOf } from '../images/picture.ts'
import type { Picture } from '../images/types.ts'
import { inSlices } from '../slices.ts'

/**
 * The final picture of the original and the denoised one ({@link mixSample}), rounded and clipped. No
 * inference; strength 0 is exactly the original, strength 100 with texture 0 exactly the denoised. Runs in
 * slices.
 *
 * @param into where the result is written, by default fresh memory; may be `denoised` itself
 * @param denoised samples shaped like the original's
 * @param settings.strength 0..100
 * @param settings.texture 0..100
 */
export async function mixStrength(
  original: Picture,
  denoised: SharedArrayBuffer,
  settings: { strength: number; texture: number },
  into?: SharedArrayBuffer,
): Promise<SharedArrayBuffer> {
  const { strength, texture } = settings
  if (strength <= 0) return original.buffer
  if (strength >= 100 && texture <= 0) return denoised
  const { bitDepth, channels } = original
  const peak = bitDepth === 8 ? 255 : 65_535
  const before = samplesOf(original)
  const after = samplesOf({ buffer: denoised, bitDepth })
  const buffer = into ?? new SharedArrayBuffer(denoised.byteLength)
  const mixed = samplesOf({ buffer, bitDepth })
  const weights = mixWeights(settings)
  const colours = channels < 3 ? 1 : 3
  await inSlices(
    before.length / channels,
    (start, end) => {
      for (let at = start * channels; at < end * channels; at += channels) {
        const luma =
          colours === 1
            ? before[at]! - after[at]!
            : lumaOf(before[at]! - after[at]!, before[at + 1]! - after[at + 1]!, before[at + 2]! - after[at + 2]!)
        for (let c = at; c < at + colours; c++) {
          mixed[c] = Math.min(peak, Math.max(0, Math.round(mixSample(before[c]!, after[c]!, luma, weights))))
        }
        // Transparency is nobody's noise.
        if (channels === 2 || channels === 4) mixed[at + channels - 1] = before[at + channels - 1]!
      }
    },
    100_000,
  )
  return buffer
}
