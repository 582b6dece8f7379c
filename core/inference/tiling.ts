import type { Rect } from './types.ts'

/**
 * How many pixels around its core a tile shows the network. Measured, not derived: the receptive field
 * is wider (67 and 91 pixels), but what lies beyond 32 changes no sample by half a level of 255
 * (test/unit/inference/tiling.test.ts compares tiled with untiled).
 */
export const OVERLAP = 32

/** The largest core: with its overlap 512 pixels square, some 100 MB of activations. */
const CORE_MAX = 448

/** Cores begin at multiples of this, which every denoiser's stride divides, so that a tile sees the phases the whole picture has. */
export const GRID = 16

/** One fixed tile shape for a picture: cores as equal as the grid allows, the last one smaller. */
export interface TileShape {
  core: { width: number; height: number }
  /** The network's input: the core and the overlap on every side. */
  window: { width: number; height: number }
}

export function tileShape(width: number, height: number): TileShape {
  const core = { width: coreLength(width), height: coreLength(height) }
  return { core, window: { width: core.width + 2 * OVERLAP, height: core.height + 2 * OVERLAP } }
}

function coreLength(length: number): number {
  const count = Math.ceil(length / CORE_MAX)
  return Math.ceil(length / count / GRID) * GRID
}

/** All cores of a picture, in reading order; together they cover it once. */
export function tileCores(width: number, height: number): Rect[] {
  const { core } = tileShape(width, height)
  const cores: Rect[] = []
  for (let y = 0; y < height; y += core.height) {
    for (let x = 0; x < width; x += core.width) {
      cores.push({ x, y, width: Math.min(core.width, width - x), height: Math.min(core.height, height - y) })
    }
  }
  return cores
}

/** The window of a core: of the picture's fixed shape, reaching over the edges where it must. */
export function windowOf(core: Rect, width: number, height: number): Rect {
  return { x: core.x - OVERLAP, y: core.y - OVERLAP, ...tileShape(width, height).window }
}

/** For every position of a window's axis, the sample of the picture it shows: mirrored at the edges, which are not repeated. */
export function mirrored(start: number, length: number, size: number): Int32Array {
  const period = Math.max(1, 2 * (size - 1))
  return Int32Array.from({ length }, (_, index) => {
    const position = (((start + index) % period) + period) % period
    return position < size ? position : period - position
  })
}
