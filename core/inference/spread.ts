import { CONFIDENCE_CELL } from '../contract/index.ts'
import type { Rect } from './types.ts'

/** A window of whole strides around a part of a picture, with the margin that the network needs; it may leave the picture. */
export function windowAround(part: Rect, { stride, margin }: { stride: number; margin: number }): Rect {
  const down = (value: number) => Math.floor(value / stride) * stride
  const up = (value: number) => Math.ceil(value / stride) * stride
  const [x, y] = [down(part.x - margin), down(part.y - margin)]
  return { x, y, width: up(part.x + part.width + margin - x), height: up(part.y + part.height + margin - y) }
}

/** Every row of every plane turned round, in place. */
export function mirrorRows(planes: Float32Array, width: number): void {
  for (let start = 0; start < planes.length; start += width) planes.subarray(start, start + width).reverse()
}

/**
 * How far two answers of the network disagree, for each cell of CONFIDENCE_CELL pixels of the part: the
 * standard deviation of the two, root mean square over the cell's pixels and colours, in 8-bit levels. Row by
 * row; cells at the right and lower edge may be smaller.
 *
 * @param first, second R, G, B planes of the window, 0..1
 */
export function spreadOf(first: Float32Array, second: Float32Array, window: Rect, part: Rect): Float32Array {
  const columns = Math.ceil(part.width / CONFIDENCE_CELL)
  const rows = Math.ceil(part.height / CONFIDENCE_CELL)
  const size = window.width * window.height
  const cells = new Float32Array(columns * rows)
  for (let cell = 0; cell < cells.length; cell++) {
    const left = (cell % columns) * CONFIDENCE_CELL
    const top = Math.floor(cell / columns) * CONFIDENCE_CELL
    const [right, bottom] = [Math.min(part.width, left + CONFIDENCE_CELL), Math.min(part.height, top + CONFIDENCE_CELL)]
    let squares = 0
    for (let y = top; y < bottom; y++) {
      const row = (part.y - window.y + y) * window.width + part.x - window.x
      for (let x = left; x < right; x++) {
        for (let at = row + x; at < 3 * size; at += size) squares += (first[at]! - second[at]!) ** 2
      }
    }
    // Of two values the standard deviation is half their difference.
    cells[cell] = (255 / 2) * Math.sqrt(squares / (3 * (right - left) * (bottom - top)))
  }
  return cells
}
