import type { Tier } from '../contract/index.ts'
import type { Picture } from '../images/types.ts'
import type { Inference, NoiseLevel, Rect, Tile } from '../inference/index.ts'

export interface DenoiseOptions {
  tier: Tier
  /** σ of the noise in 8-bit units, for the whole picture or by place. */
  sigma: NoiseLevel
  /** The tiles to be done, in order; by default all of them, as a file wants them. */
  tiles?: readonly Tile[]
  /** Where the result is written; by default fresh memory of the picture's size. */
  target?: SharedArrayBuffer
}

export interface DenoiseSteps {
  /** Awaited before every tile: waits while the work is paused, throws when it is cancelled. */
  checkpoint(): Promise<void>
  onTile?(core: Rect, done: number, total: number): void
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
  const { tier, sigma } = options
  const { buffer, width, height, channels, bitDepth } = picture
  const target = options.target ?? new SharedArrayBuffer(buffer.byteLength)
  const tiles = options.tiles ?? inference.plan(tier, picture, 'file')
  for (const [index, tile] of tiles.entries()) {
    await steps.checkpoint()
    await inference.denoiseTile({ tier, source: { buffer, width, height, channels, bitDepth }, target, tile, sigma })
    steps.onTile?.(tile.core, index + 1, tiles.length)
  }
  return target
}

/** Orders rectangles outward from a place. */
export function outwardFrom(place: { x: number; y: number }): (a: Rect, b: Rect) => number {
  const distance = ({ x, y, width, height }: Rect) => Math.hypot(x + width / 2 - place.x, y + height / 2 - place.y)
  return (a, b) => distance(a) - distance(b)
}
