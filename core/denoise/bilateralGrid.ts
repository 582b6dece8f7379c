/** A level somewhere in a picture. */
export interface Observation {
  column: number
  row: number
  level: number
  weight: number
}

export interface GridOptions {
  columns: number
  rows: number
  /** Of every cell, row by row, 0..1. */
  brightness: Float32Array
  /** How far apart the grid's nodes are, in cells. */
  spread: number
}

/** Steps of brightness that a level may differ by. */
const BRIGHTNESS_NODES = 11

/** How much the mean of all weighs in every place, as so many observations of mean weight. */
const PRIOR = 1

/**
 * The level of every cell, row by row: the weighted mean of the observations around it in the picture and in brightness.
 *
 * Chen, Paris and Durand, "Real-time edge-aware image processing with the bilateral grid", ACM TOG 26 (2007): the
 * observations are spread over the eight nodes around them in a grid of columns, rows and brightness, the grid is
 * blurred by [1 4 6 4 1] / 16 along each axis, and read by trilinear interpolation. Where nothing was observed the
 * mean of all is the answer.
 */
export function smoothByPlaceAndBrightness(observations: readonly Observation[], options: GridOptions): Float32Array {
  const { columns, rows, brightness, spread } = options
  const shape = [Math.ceil(columns / spread) + 1, Math.ceil(rows / spread) + 1, BRIGHTNESS_NODES] as const
  const total = shape[0] * shape[1] * shape[2]
  let sums = new Float64Array(total)
  let weights = new Float64Array(total)
  const nodes = new Int32Array(8)
  const shares = new Float64Array(8)

  let [sum, weight] = [0, 0]
  for (const observation of observations) {
    locate(observation.column, observation.row)
    for (let corner = 0; corner < 8; corner++) {
      const part = shares[corner]! * observation.weight
      weights[nodes[corner]!]! += part
      sums[nodes[corner]!]! += part * observation.level
    }
    sum += observation.weight * observation.level
    weight += observation.weight
  }
  const mean = sum / weight
  const prior = (PRIOR * weight) / observations.length
  for (let axis = 0; axis < 3; axis++) [sums, weights] = [blur(sums, shape, axis), blur(weights, shape, axis)]

  const levels = new Float32Array(columns * rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      locate(column, row)
      let [found, certainty] = [prior * mean, prior]
      for (let corner = 0; corner < 8; corner++) {
        found += shares[corner]! * sums[nodes[corner]!]!
        certainty += shares[corner]! * weights[nodes[corner]!]!
      }
      levels[row * columns + column] = found / certainty
    }
  }
  return levels

  /** The eight nodes around a cell, and its share of each. */
  function locate(column: number, row: number): void {
    // A hundred thousand cells pass here: no arrays are made.
    const across = column / spread
    const along = row / spread
    const light = Math.min(brightness[row * columns + column]! * (BRIGHTNESS_NODES - 1), BRIGHTNESS_NODES - 1.001)
    const x = Math.floor(across)
    const y = Math.floor(along)
    const z = Math.floor(light)
    const first = x + shape[0] * (y + shape[1] * z)
    for (let corner = 0; corner < 8; corner++) {
      const right = corner & 1
      const down = (corner >> 1) & 1
      const up = corner >> 2
      nodes[corner] = first + right + shape[0] * (down + shape[1] * up)
      shares[corner] = (right ? across - x : 1 - across + x) * (down ? along - y : 1 - along + y) * (up ? light - z : 1 - light + z)
    }
  }
}

const KERNEL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]

/** Along one axis; beyond the grid there is nothing. */
function blur(values: Float64Array, shape: readonly [number, number, number], axis: number): Float64Array<ArrayBuffer> {
  const step = axis === 0 ? 1 : axis === 1 ? shape[0] : shape[0] * shape[1]
  const length = shape[axis]!
  const out = new Float64Array(values.length)
  for (let index = 0; index < values.length; index++) {
    const position = Math.floor(index / step) % length
    for (const [tap, share] of KERNEL.entries()) {
      const from = position + tap - 2
      if (from >= 0 && from < length) out[index]! += share * values[index + (tap - 2) * step]!
    }
  }
  return out
}
