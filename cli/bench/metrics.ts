/** Samples of 0..255, plane after plane. */
export interface PlanarPicture {
  data: ArrayLike<number>
  width: number
  height: number
  planes: number
}

/** Peak signal-to-noise ratio in dB over all samples, for a peak of 255; infinite when nothing differs. */
export function psnr(a: PlanarPicture, b: PlanarPicture): number {
  let squares = 0
  for (let index = 0; index < a.data.length; index++) squares += (a.data[index]! - b.data[index]!) ** 2
  return 10 * Math.log10((255 * 255 * a.data.length) / squares)
}

const RADIUS = 5
/** 11 taps of a Gaussian with σ 1.5, of sum one. */
const WINDOW = normalised(Array.from({ length: 2 * RADIUS + 1 }, (_, index) => Math.exp(-((index - RADIUS) ** 2) / (2 * 1.5 ** 2))))
const C1 = (0.01 * 255) ** 2
const C2 = (0.03 * 255) ** 2

/**
 * Structural similarity (Wang et al., "Image quality assessment: from error visibility to structural
 * similarity", 2004), 11 × 11 Gaussian window, over the positions where the window lies inside;
 * the mean of the planes. At most 1, for equal pictures.
 */
export function ssim(a: PlanarPicture, b: PlanarPicture): number {
  const { width, height, planes } = a
  if (width <= 2 * RADIUS || height <= 2 * RADIUS) return Number.NaN
  const size = width * height
  let sum = 0
  for (let plane = 0; plane < planes; plane++) {
    const of = (value: (index: number) => number) =>
      blur(
        Float64Array.from({ length: size }, (_, index) => value(plane * size + index)),
        width,
        height,
      )
    const meanA = of((index) => a.data[index]!)
    const meanB = of((index) => b.data[index]!)
    const squaresA = of((index) => a.data[index]! ** 2)
    const squaresB = of((index) => b.data[index]! ** 2)
    const products = of((index) => a.data[index]! * b.data[index]!)
    let total = 0
    for (let index = 0; index < meanA.length; index++) {
      const [x, y] = [meanA[index]!, meanB[index]!]
      const variances = squaresA[index]! - x * x + squaresB[index]! - y * y
      const covariance = products[index]! - x * y
      total += ((2 * x * y + C1) * (2 * covariance + C2)) / ((x * x + y * y + C1) * (variances + C2))
    }
    sum += total / meanA.length
  }
  return sum / planes
}

/** Convolution with the window where it lies inside: RADIUS fewer samples on every side. */
function blur(plane: Float64Array, width: number, height: number): Float64Array {
  const inner = width - 2 * RADIUS
  const rows = new Float64Array(inner * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < inner; x++) {
      let sum = 0
      for (let tap = 0; tap < WINDOW.length; tap++) sum += WINDOW[tap]! * plane[y * width + x + tap]!
      rows[y * inner + x] = sum
    }
  }
  const blurred = new Float64Array(inner * (height - 2 * RADIUS))
  for (let at = 0; at < blurred.length; at++) {
    let sum = 0
    for (let tap = 0; tap < WINDOW.length; tap++) sum += WINDOW[tap]! * rows[at + tap * inner]!
    blurred[at] = sum
  }
  return blurred
}

function normalised(weights: number[]): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return Float64Array.from(weights, (weight) => weight / sum)
}
