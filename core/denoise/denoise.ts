import type { Tier } from '../contract/index.ts'
import type { Picture } from '../images/types.ts'
import { tileCores, type Inference, type NoiseLevel, type Rect } from '../inference/index.ts'

export interface DenoiseOptions {
  tier: Tier
  /** σ of the noise in 8-bit units, for the whole picture or by place. */
  sigma: NoiseLevel
  /** The tiles to be done, in order; by default all of them, outward from the focus. */
  tiles?: readonly Rect[]
  /** Tiles are done outward from here; by default from the middle. */
  focus?: { x: number; y: number }
  /** Where the result is written; by default fresh memory of the picture's size. */
  target?: SharedArrayBuffer
}

export interface DenoiseSteps {
  /** Awaited before every tile: waits while the work is paused, throws when it is cancelled. */
  checkpoint(): Promise<void>
  onTile?(tile: Rect, done: number, total: number): void
}

/**
 * Denoises a whole picture tile by tile; answers the samples, shaped like the picture's own. Seams do not
 * show: what a tile computes differs from the untiled result by less than a level of 255.
 * Errors: those of {@link Inference.denoiseTile}, and what `checkpoint` throws.
 */
export async function denoisePicture(
  inference: Inference,
  picture: Picture,
  options: DenoiseOptions,
  steps: DenoiseSteps,
): Promise<SharedArrayBuffer> {
  const { tier, sigma, focus = { x: picture.width / 2, y: picture.height / 2 } } = options
  const { buffer, width, height, channels, bitDepth } = picture
  const target = options.target ?? new SharedArrayBuffer(buffer.byteLength)
  const tiles = options.tiles ?? outward(tileCores(width, height), focus)
  for (const [index, core] of tiles.entries()) {
    await steps.checkpoint()
    await inference.denoiseTile({ tier, source: { buffer, width, height, channels, bitDepth }, target, core, sigma })
    steps.onTile?.(core, index + 1, tiles.length)
  }
  return target
}

/** The nearest to `from` first. */
export function outward(tiles: readonly Rect[], from: { x: number; y: number }): Rect[] {
  const distance = ({ x, y, width, height }: Rect) => Math.hypot(x + width / 2 - from.x, y + height / 2 - from.y)
  return tiles.toSorted((a, b) => distance(a) - distance(b))
}
