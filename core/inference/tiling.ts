import type { Rect } from './types.ts'

/**
 * The longest side of a window. `view`: small tiles, so that the first is soon on the screen. `file`: larger ones, of which
 * less is computed twice (an eighth, of 24 megapixels); half a gigabyte of activations.
 */
export const WINDOW_MAX = { view: 608, file: 1408 } as const
export type TileUse = keyof typeof WINDOW_MAX

/** Windows inside a picture have sides of multiples of this, which every denoiser's stride divides: few enough to try each of them. */
const GRID = { view: 16, file: 32 } as const

/** What a denoiser asks of its windows; both in pixels, the margin a multiple of the stride. */
export interface TileNeeds {
  /** Its total stride: a window's sides and origin are multiples of it, so that a tile sees the phases the whole picture has. */
  stride: number
  /** What it must see around a core ("how far a tile sees"). */
  margin: number
}

export interface Tile {
  /** What of the picture this tile writes. */
  core: Rect
  /** What the network is shown for it: more than the core, at most by less than a stride more than the picture. */
  window: Rect
}

/**
 * All tiles of a picture, in reading order; their cores cover it once. All windows have one shape and lie in the
 * picture, so that a tile at an edge needs no margin there and has the larger core. They leave it,
 * by less than a stride, only where the picture's sides are no multiples of that: what is computed at
 * the edges is what the network makes of the whole picture.
 *
 * @param part the part of the picture that the cores are to cover, by default all of it. Their windows reach beyond
 * it as far as a tile sees: at its edges, too, is computed what the network makes of the whole picture.
 */
export function planTiles(
  { width, height }: { width: number; height: number },
  needs: TileNeeds,
  use: TileUse,
  part: Rect = { x: 0, y: 0, width, height },
): Tile[] {
  const columns = spansOf({ start: part.x, end: part.x + part.width }, width, needs, use)
  return spansOf({ start: part.y, end: part.y + part.height }, height, needs, use).flatMap((row) =>
    columns.map((column) => ({
      core: { x: column.core, y: row.core, width: column.length, height: row.length },
      window: { x: column.window, y: row.window, width: column.size, height: row.size },
    })),
  )
}

interface Span {
  core: number
  length: number
  window: number
  size: number
}

/** The spans that cover from `start` to `end` of an axis so long. */
function spansOf({ start, end }: { start: number; end: number }, length: number, needs: TileNeeds, use: TileUse): Span[] {
  const { stride, margin } = needs
  const from = Math.floor(Math.max(0, start - margin) / stride) * stride
  const to = Math.min(length, Math.ceil((end + margin) / stride) * stride)
  return spans(to - from, needs, use).flatMap(({ core, length: reach, window, size }) => {
    const [first, last] = [Math.max(start, from + core), Math.min(end, from + core + reach)]
    return last > first ? [{ core: first, length: last - first, window: from + window, size }] : []
  })
}

function spans(length: number, { stride, margin }: TileNeeds, use: TileUse): Span[] {
  const [max, grid] = [WINDOW_MAX[use], GRID[use]]
  const whole = Math.ceil(length / stride) * stride
  if (whole <= max) return [{ core: 0, length, window: 0, size: whole }]
  const count = Math.ceil((whole - 2 * margin) / (max - 2 * margin))
  const size = Math.ceil((whole + 2 * margin * (count - 1)) / count / grid) * grid
  const found: Span[] = []
  for (let core = 0; core < length;) {
    const window = Math.min(Math.max(0, core - margin), whole - size)
    const end = window + size === whole ? length : window + size - margin
    found.push({ core, length: end - core, window, size })
    core = end
  }
  return found
}

/** For every position of a window's axis, the sample of the picture it shows: mirrored at the edges, which are not repeated. */
export function mirrored(start: number, length: number, size: number): Int32Array {
  const period = Math.max(1, 2 * (size - 1))
  return Int32Array.from({ length }, (_, index) => {
    const position = (((start + index) % period) + period) % period
    return position < size ? position : period - position
  })
}
