/**
 * How strength and texture recovery make the final picture of the original and the denoised one. It lies in
 * the contract because the engine writes files with it and the window draws with it: they must agree.
 */

/** Luma of encoded R'G'B' samples (ITU-R BT.709-6, item 3.2). */
export const LUMA = { red: 0.2126, green: 0.7152, blue: 0.0722 } as const

/** What each control does to a sample: `original − removed · strength + luma of removed · texture`. */
export interface MixWeights {
  /** Share of the removed difference that stays removed, 0..1. */
  removed: number
  /** Share of the removed difference's luma that is put back into every channel, 0..1. */
  luma: number
}

/**
 * The weights of the two controls. With r = original − denoised and Y(r) its luma, the picture is
 * `original − removed · r + luma · Y(r)`: texture recovery works on what strength has removed, so that
 * strength 0 is the original whatever the texture.
 *
 * @param settings.strength 0..100
 * @param settings.texture 0..100
 */
export function mixWeights({ strength, texture }: { strength: number; texture: number }): MixWeights {
  return { removed: strength / 100, luma: (strength / 100) * (texture / 100) }
}

/** Luma of a difference of samples; of a grey picture the difference itself is. */
export function lumaOf(red: number, green: number, blue: number): number {
  return LUMA.red * red + LUMA.green * green + LUMA.blue * blue
}

/** One sample of the final picture, not rounded and not clipped. `luma` is {@link lumaOf} of the pixel's differences original − denoised. */
export function mixSample(original: number, denoised: number, luma: number, weights: MixWeights): number {
  return original - weights.removed * (original - denoised) + weights.luma * luma
}
