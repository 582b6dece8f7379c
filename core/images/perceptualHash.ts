const SIZE = 32
const KEPT = 8

/** DCT-II basis, KEPT × SIZE: cos(π (2x + 1) u / 2 SIZE). A common factor changes no comparison. */
const BASIS = Float64Array.from({ length: KEPT * SIZE }, (_, index) => {
  const u = Math.floor(index / SIZE)
  return Math.cos((Math.PI * (2 * (index % SIZE) + 1) * u) / (2 * SIZE))
})

/**
 * The 64-bit DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions"
 * (2010): grey, 32 × 32, the lowest 8 × 8 coefficients of its DCT against their median (the constant
 * one takes no part in the median; its own bit is 0). Bits in row order, the first one highest.
 *
 * @param rgb samples 0..255, side × side × 3, the whole picture squashed; side at least 32
 */
export function perceptualHash(rgb: Uint8Array, side: number): bigint {
  const grey = shrinkToGrey(rgb, side)
  // Rows first: half[v][y] for the KEPT lowest horizontal frequencies, then columns.
  const half = new Float64Array(KEPT * SIZE)
  for (let y = 0; y < SIZE; y++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0
      for (let x = 0; x < SIZE; x++) sum += grey[y * SIZE + x]! * BASIS[u * SIZE + x]!
      half[u * SIZE + y] = sum
    }
  }
  const coefficients: number[] = []
  for (let v = 0; v < KEPT; v++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0
      for (let y = 0; y < SIZE; y++) sum += half[u * SIZE + y]! * BASIS[v * SIZE + y]!
      coefficients.push(sum)
    }
  }
  const median = coefficients.slice(1).sort((a, b) => a - b)[31]!
  let hash = 0n
  for (const [index, coefficient] of coefficients.entries()) hash = (hash << 1n) | (index > 0 && coefficient > median ? 1n : 0n)
  return hash
}

/** How many of the 64 bits differ. */
export function hashDistance(a: bigint, b: bigint): number {
  let rest = a ^ b
  let count = 0
  for (; rest > 0n; rest &= rest - 1n) count++
  return count
}

/** Luma (BT.601) summed over each of the SIZE × SIZE cells, pixels on a border shared out by area. */
function shrinkToGrey(rgb: Uint8Array, side: number): Float64Array {
  const scale = side / SIZE
  // A pixel lies in one cell or across the border of two: where it begins, and the share of it that lies there.
  const cell = Int32Array.from({ length: side }, (_, index) => Math.floor(index / scale))
  const share = Float64Array.from({ length: side }, (_, index) => Math.min(1, (cell[index]! + 1) * scale - index))
  const grey = new Float64Array(SIZE * SIZE)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + x) * 3
      const luma = 0.299 * rgb[from]! + 0.587 * rgb[from + 1]! + 0.114 * rgb[from + 2]!
      const [right, below] = [1 - share[x]!, 1 - share[y]!]
      const at = cell[y]! * SIZE + cell[x]!
      grey[at]! += luma * share[x]! * share[y]!
      if (right > 0) grey[at + 1]! += luma * right * share[y]!
      if (below > 0) grey[at + SIZE]! += luma * share[x]! * below
      if (right > 0 && below > 0) grey[at + SIZE + 1]! += luma * right * below
    }
  }
  return grey
}
