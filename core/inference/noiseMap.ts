import { mirrored } from './tiling.ts'
import type { Rect } from './types.ts'

/** How strong the noise of a picture is, by place. */
export interface NoiseMap {
  /** σ in 8-bit units of each square cell, row by row from the top left; in shared memory, so that it travels to a thread for nothing. */
  sigma: Float32Array<SharedArrayBuffer>
  columns: number
  rows: number
  /** Side of a cell in pixels; those at the right and lower edge may reach beyond the picture. */
  cell: number
}

/** σ in 8-bit units: one for the whole picture, or by place. */
export type NoiseLevel = number | NoiseMap

/**
 * Fills `plane` with σ / 255 for every pixel of the window, mirrored beyond the picture's edges as its samples are.
 * Between the middles of cells it is interpolated. It depends on the place in the picture alone: tiles do not
 * change it.
 */
export function readSigma(level: NoiseLevel, size: { width: number; height: number }, window: Rect, plane: Float32Array): void {
  if (typeof level === 'number') {
    plane.fill(level / 255)
    return
  }
  const { sigma, columns, rows, cell } = level
  const horizontal = mix(mirrored(window.x, window.width, size.width), cell, columns)
  const vertical = mix(mirrored(window.y, window.height, size.height), cell, rows)
  const between = new Float32Array(columns)
  let to = 0
  for (let y = 0; y < window.height; y++) {
    const [above, below] = [vertical.from[y]! * columns, vertical.next[y]! * columns]
    const share = vertical.share[y]!
    for (let column = 0; column < columns; column++) {
      between[column] = ((1 - share) * sigma[above + column]! + share * sigma[below + column]!) / 255
    }
    for (let x = 0; x < window.width; x++, to++) {
      const part = horizontal.share[x]!
      plane[to] = (1 - part) * between[horizontal.from[x]!]! + part * between[horizontal.next[x]!]!
    }
  }
}

/** For every position the two cells whose middles enclose it, and the share of the second. */
function mix(positions: Int32Array, cell: number, count: number) {
  const places = Float32Array.from(positions, (position) => Math.min(count - 1, Math.max(0, (position + 0.5) / cell - 0.5)))
  return {
    from: Int32Array.from(places, Math.floor),
    next: Int32Array.from(places, (place) => Math.min(count - 1, Math.floor(place) + 1)),
    share: places.map((place) => place - Math.floor(place)),
  }
}
