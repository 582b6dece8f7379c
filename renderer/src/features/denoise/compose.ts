import { lumaOf, mixSample, type MixWeights } from '$contract'

/**
 * What the window shows of an original and a denoised picture, pixel by pixel. All arrays are RGBA of one
 * size, as canvases hold them. Where the denoised picture is not there yet, its alpha is 0.
 */
type Pixels = Uint8ClampedArray

/** Mid-grey: nothing was removed. */
const MIDDLE = 128
/** A map in colours lies over a picture that is grey and darker than it was. */
const GROUND_LIGHT = 0.55
const GROUND_FLOOR = 20

/** Writes the picture as it will be exported (contract/mix.ts); the original where nothing is denoised yet. */
export function mix(out: Pixels, original: Pixels, denoised: Pixels, weights: MixWeights): void {
  out.set(original)
  for (let at = 0; at < out.length; at += 4) {
    if (denoised[at + 3] === 0) continue
    const red = original[at]!
    const green = original[at + 1]!
    const blue = original[at + 2]!
    const luma = lumaOf(red - denoised[at]!, green - denoised[at + 1]!, blue - denoised[at + 2]!)
    out[at] = mixSample(red, denoised[at]!, luma, weights)
    out[at + 1] = mixSample(green, denoised[at + 1]!, luma, weights)
    out[at + 2] = mixSample(blue, denoised[at + 2]!, luma, weights)
  }
}

/** Turns a mixed picture into what was taken away from the original, times `gain` about mid-grey. Noise looks like noise; an outline in it means that structure went too. */
export function showRemoved(mixed: Pixels, original: Pixels, denoised: Pixels, gain: number): void {
  for (let at = 0; at < mixed.length; at += 4) {
    mixed[at] = MIDDLE + gain * (original[at]! - mixed[at]!)
    mixed[at + 1] = MIDDLE + gain * (original[at + 1]! - mixed[at + 1]!)
    mixed[at + 2] = MIDDLE + gain * (original[at + 2]! - mixed[at + 2]!)
    mixed[at + 3] = denoised[at + 3]!
  }
}

/** Turns a mixed picture into how far each sample moved, whichever way, times `gain` on black. */
export function showDifference(mixed: Pixels, original: Pixels, denoised: Pixels, gain: number): void {
  for (let at = 0; at < mixed.length; at += 4) {
    mixed[at] = gain * Math.abs(original[at]! - mixed[at]!)
    mixed[at + 1] = gain * Math.abs(original[at + 1]! - mixed[at + 1]!)
    mixed[at + 2] = gain * Math.abs(original[at + 2]! - mixed[at + 2]!)
    mixed[at + 3] = denoised[at + 3]!
  }
}

/** Makes a mixed picture grey and dim, for a map in colours to lie over. */
export function showGround(mixed: Pixels): void {
  for (let at = 0; at < mixed.length; at += 4) {
    const grey = GROUND_FLOOR + GROUND_LIGHT * lumaOf(mixed[at]!, mixed[at + 1]!, mixed[at + 2]!)
    mixed[at] = mixed[at + 1] = mixed[at + 2] = grey
  }
}
