import type { Rect } from './types.ts'

/** The largest core. With its surroundings some 800 pixels square: 200 MB of activations, and a third more pixels than the picture has. */
const CORE_MAX = 704

/** Cores begin at multiples of this, which every denoiser's stride divides, so that a tile sees the phases the whole picture has. */
const GRID = 16

/** What a denoiser asks of its windows; both in pixels, the margin a multiple of the stride. */
export interface TileNeeds {
  /** Its total stride: a window's sides and origin are multiples of it. */
  stride: number
  /** What it must see around a core ("how far a tile sees"). */
  margin: number
}

/** All cores of a picture, in reading order; together they cover it once. As equal as the grid allows, the last ones smaller. */
export function tileCores(width: number, height: number): Rect[] {
  const core = { width: coreLength(width), height: coreLength(height) }
  const cores: Rect[] = []
  for (let y = 0; y < height; y += core.height) {
    for (let x = 0; x < width; x += core.width) {
      cores.push({ x, y, width: Math.min(core.width, width - x), height: Math.min(core.height, height - y) })
    }
  }
  return cores
}

/**
 * What the network is shown for a core: the core and its margin, moved into the picture where it would reach
 * over the edge, so that all windows of a picture have one shape. It leaves the picture, by less than
 * a stride, only where the picture's sides are no multiples of that: what is computed at the
 * edges is what the network makes of the whole picture.
 */
export function windowOf(core: Rect, width: number, height: number, needs: TileNeeds): Rect {
  const [x, columns] = span(core.x, width, needs)
  const [y, rows] = span(core.y, height, needs)
  return { x, y, width: columns, height: rows }
}

function span(start: number, length: number, { stride, margin }: TileNeeds): [from: number, size: number] {
  const whole = Math.ceil(length / stride) * stride
  const size = Math.min(whole, coreLength(length) + 2 * margin)
  return [Math.min(Math.max(0, start - margin), whole - size), size]
}

function coreLength(length: number): number {
  const count = Math.ceil(length / CORE_MAX)
  return Math.ceil(length / count / GRID) * GRID
}

/** For every position of a window's axis, the sample of the picture it shows: mirrored at the edges, which are not repeated. */
export function mirrored(start: number, length: number, size: number): Int32Array {
  const period = Math.max(1, 2 * (size - 1))
  return Int32Array.from({ length }, (_, index) => {
    const position = (((start + index) % period) + period) % period
    return position < size ? position : period - position
  })
}
