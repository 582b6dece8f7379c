/**
 * What the encoder is measured against: descriptions of a picture that nobody trained, made of the same
 * 112 × 112 RGB input. Most are vectors of length 1 (or all zero), compared by their inner product.
 */
import { ENCODER_PX } from '../../core/images/types.ts'
import { createRandom } from '../../core/random.ts'

/** Side of the pictures that raw pixels compare. */
export const RAW_PX = 16
/** Steps of each channel in the colour histogram. */
const LEVELS = 8

/** RAW_PX² RGB means less their own mean: the inner product is the pictures' correlation. */
export function rawPixels(input: Uint8Array): Float32Array {
  const pixels = shrunk(input)
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length
  return unit(pixels.map((value) => value - mean))
}

/** RAW_PX² RGB sums of the cells of an encoder input. */
export function shrunk(input: Uint8Array): Float32Array {
  const cell = ENCODER_PX / RAW_PX
  const sums = new Float32Array(RAW_PX * RAW_PX * 3)
  for (let y = 0; y < ENCODER_PX; y++) {
    const row = Math.floor(y / cell) * RAW_PX
    for (let x = 0; x < ENCODER_PX; x++) {
      const from = (y * ENCODER_PX + x) * 3
      const to = (row + Math.floor(x / cell)) * 3
      sums[to]! += input[from]!
      sums[to + 1]! += input[from + 1]!
      sums[to + 2]! += input[from + 2]!
    }
  }
  return sums
}

/**
 * The square roots of a joint RGB histogram of LEVELS³ bins: their inner product is the Bhattacharyya
 * coefficient of the two distributions, 0 (nothing in common) to 1.
 */
export function colourHistogram(input: Uint8Array): Float32Array {
  const bins = new Float32Array(LEVELS ** 3)
  const level = (value: number) => (value * LEVELS) >> 8
  for (let at = 0; at < input.length; at += 3) {
    bins[(level(input[at]!) * LEVELS + level(input[at + 1]!)) * LEVELS + level(input[at + 2]!)]! += 1
  }
  return unit(bins.map(Math.sqrt))
}

/**
 * Principal components of the vectors, about their mean, by subspace iteration from a random start (Halko,
 * Martinsson, Tropp, "Finding structure with randomness", 2011, algorithm 4.4).
 *
 * @returns the projection of a vector on the `count` strongest of them (fewer where there are fewer vectors), of length 1
 */
export function principalComponents(vectors: readonly Float32Array[], count: number): (vector: Float32Array) => Float32Array {
  const dimension = vectors[0]?.length ?? 0
  const centre = new Float32Array(dimension)
  for (const vector of vectors) for (let at = 0; at < dimension; at++) centre[at]! += vector[at]! / vectors.length
  const centred = (vector: Float32Array) => vector.map((value, at) => value - centre[at]!)
  const rows = vectors.map(centred)
  const random = createRandom(20_261_121)
  let basis = Array.from({ length: Math.min(count, dimension, vectors.length - 1) }, () =>
    Float32Array.from({ length: dimension }, () => random.normal()),
  )
  for (let iteration = 0; iteration < 6; iteration++) {
    // Covariance times basis, one vector of it at a time.
    basis = basis.map((direction) => {
      const next = new Float32Array(dimension)
      for (const row of rows) {
        const along = innerProduct(row, direction)
        for (let at = 0; at < dimension; at++) next[at]! += along * row[at]!
      }
      return next
    })
    orthonormalise(basis)
  }
  return (vector) => {
    const from = centred(vector)
    return unit(Float32Array.from(basis, (direction) => innerProduct(from, direction)))
  }
}

/** Gram-Schmidt in place, each direction twice over: once is not enough for nearly parallel ones. */
function orthonormalise(basis: Float32Array[]): void {
  for (const [index, direction] of basis.entries()) {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis.slice(0, index)) {
        const along = innerProduct(direction, other)
        for (let at = 0; at < direction.length; at++) direction[at]! -= along * other[at]!
      }
    }
    basis[index] = unit(direction)
  }
}

export function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}

/** Minus the squared distance: the nearer, the larger. */
export function nearness(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at]! - b[at]!) ** 2
  return -sum
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(innerProduct(vector, vector))
  return length === 0 ? vector : vector.map((value) => value / length)
}
