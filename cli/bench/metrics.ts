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
  return ssimAgainst(a)(b)
}

/** {@link ssim} of one picture against several others of its size: its own moments are computed once. */
export function ssimAgainst(a: PlanarPicture): (b: PlanarPicture) => number {
  const { width, height, planes } = a
  if (width <= 2 * RADIUS || height <= 2 * RADIUS) return () => Number.NaN
  const size = width * height
  const own = Array.from({ length: planes }, (_, plane) => {
    const samples = planeOf(a, plane)
    return { samples, means: blur(samples, width, height), squares: blur(product(samples, samples), width, height) }
  })
  return (b) => {
    let sum = 0
    for (const [plane, { samples, means, squares }] of own.entries()) {
      const others = planeOf(b, plane)
      const meansB = blur(others, width, height)
      const squaresB = blur(product(others, others), width, height)
      const products = blur(product(samples, others), width, height)
      let total = 0
      for (let index = 0; index < means.length; index++) {
        const x = means[index]!
        const y = meansB[index]!
        const variances = squares[index]! - x * x + squaresB[index]! - y * y
        const covariance = products[index]! - x * y
        total += ((2 * x * y + C1) * (2 * covariance + C2)) / ((x * x + y * y + C1) * (variances + C2))
      }
      sum += total / means.length
    }
    return sum / planes
  }

  function planeOf({ data }: PlanarPicture, plane: number): Float64Array {
    const samples = new Float64Array(size)
    for (let index = 0, from = plane * size; index < size; index++, from++) samples[index] = data[from]!
    return samples
  }
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  const products = new Float64Array(a.length)
  for (let index = 0; index < a.length; index++) products[index] = a[index]! * b[index]!
  return products
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
