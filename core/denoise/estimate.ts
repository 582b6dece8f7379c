import { createRandom } from '../random.ts'

/** Samples as a decoded picture has them (images/types.ts). */
export interface NoisyPicture {
  buffer: SharedArrayBuffer
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  bitDepth: 8 | 16
}

const SIDE = 8
const AREA = SIDE * SIDE

/** Of the blocks that are looked at the smoothest are measured: this share, and no fewer than so many. */
const SHARE = 0.01
const MEASURED_MIN = 60

/** Orthonormal DCT-II, row u. */
const DCT = Float64Array.from({ length: AREA }, (_, index) => {
  const [u, x] = [Math.floor(index / SIDE), index % SIDE]
  return Math.sqrt((u === 0 ? 1 : 2) / SIDE) * Math.cos((Math.PI * (2 * x + 1) * u) / (2 * SIDE))
})
/** The high frequencies: u + v ≥ 9. */
const HIGH = Array.from({ length: AREA }, (_, index) => ({ u: Math.floor(index / SIDE), v: index % SIDE })).filter(({ u, v }) => u + v >= 9)
/** No lower row takes part in them. */
const HIGH_ROW = 2

/** A block that was looked at. */
interface Block {
  /** Sum of squares of its low frequencies, over the planes. */
  low: number
  /** Mean of each plane, 0..255. */
  means: number[]
  /** Share of its samples at either end of the scale. */
  clipped: number
  /** Where its squared high frequencies begin. */
  at: number
}

/**
 * The standard deviation of a picture's noise, in 8-bit units; 0 where none can be told from the picture.
 *
 * White noise, as a sensor has it, is measured at full size. What a camera's own processing or JPEG
 * leaves has lost its high frequencies: at full size there is next to nothing, while in the picture made
 * a quarter as large it is white again and stands out: the answer is then the σ of white noise that
 * would be as strong there, which is what removes it. Texture is not white at any size.
 *
 * Noise smoothed further than that is underestimated, and fine texture all over a picture counts as noise
 * of a few levels.
 */
export function estimateNoise(picture: NoisyPicture): number {
  const full = measure(picture, 1, 10_000)
  const half = measure(picture, 2, 4_000)
  if (half.sigma < 2.2 * full.sigma + 0.5) return full.sigma
  const quarter = measure(picture, 4, 2_000)
  const smoothed = quarter.sigma <= SMOOTHED_MAX && full.slope >= 3 * quarter.slope
  return smoothed ? Math.max(half.sigma, quarter.sigma) : full.sigma
}

const NOTHING: Measure = { sigma: 0, slope: 1 }

/** More than this at a quarter of the size is texture: PolyU's noisiest pictures measure 7.5. */
const SMOOTHED_MAX = 10

interface Measure {
  /** At full size, if the noise is white; 8-bit units. */
  sigma: number
  /** How much more there is in each low frequency of the smoothest blocks than in each high one; for white noise, 1. */
  slope: number
}

/**
 * Measures noise in the picture made `factor` times smaller by averaging squares of pixels, in so many
 * blocks.
 *
 * The method of Ponomarenko et al. (2007) as analysed by Colom and Buades, "Analysis and Extension of the
 * Ponomarenko et al. Method", IPOL 3 (2013): of many 8 × 8 blocks those with the least energy in the low
 * frequencies of their DCT are taken, and the variance of each of their high frequencies is the
 * noise's; their median is the answer. White noise is independent between the two, so that choosing
 * by the one does not bias the other, which choosing the flattest blocks by variance would. Clipping
 * takes noise away: blocks with clipped samples are passed over or, where strong noise leaves few
 * others, their loss is made up for. Channels are averaged in variance.
 */
function measure(picture: NoisyPicture, factor: 1 | 2 | 4, looks: number): Measure {
  const { width, height, channels, bitDepth } = picture
  const side = SIDE * factor
  if (width < side || height < side) return NOTHING
  const samples = bitDepth === 8 ? new Uint8Array(picture.buffer) : new Uint16Array(picture.buffer)
  const planes = channels < 3 ? 1 : 3

  const random = createRandom(1)
  const count = Math.min(looks, (width - side + 1) * (height - side + 1))
  const squares = new Float64Array(count * planes * HIGH.length)
  const values = new Float64Array(AREA)
  const blocks: Block[] = []
  for (let at = 0; at < squares.length; at += planes * HIGH.length) {
    const left = random.integer(width - side + 1)
    const top = random.integer(height - side + 1)
    const block: Block = { low: 0, means: [], clipped: 0, at }
    for (let plane = 0; plane < planes; plane++) {
      block.clipped += readBlock(left, top, plane) / (side * side * planes)
      const high = squares.subarray(at + plane * HIGH.length, at + (plane + 1) * HIGH.length)
      const { mean, low } = analyse(values, high)
      block.means.push(mean)
      block.low += low
    }
    blocks.push(block)
  }

  const unclipped = blocks.filter(({ clipped }) => clipped === 0)
  // Strong noise clips some samples of nearly every block. Of the middling ones it takes least; a dark picture has only others.
  const strong = unclipped.length < 0.2 * blocks.length
  const middling = blocks.filter(({ clipped, means }) => clipped <= 0.2 && means.every((mean) => mean > 64 && mean < 191))
  const usable = !strong ? unclipped : middling.length > 0.1 * blocks.length ? middling : blocks.filter(({ clipped }) => clipped <= 0.5)
  if (usable.length === 0) return NOTHING
  usable.sort((a, b) => a.low - b.low)
  const measured = usable.slice(0, Math.max(MEASURED_MIN, Math.round(usable.length * SHARE)))
  const average = (of: (block: Block) => number) => measured.reduce((sum, block) => sum + of(block), 0) / measured.length

  const low = average((block) => block.low) / planes / (AREA - 1 - HIGH.length)
  let [high, variance] = [0, 0]
  for (let plane = 0; plane < planes; plane++) {
    const variances = HIGH.map((_, order) => average(({ at }) => squares[at + plane * HIGH.length + order]!))
    variances.sort((a, b) => a - b)
    const found = variances[variances.length >> 1]!
    high += found / planes
    variance +=
      (strong
        ? unclip(
            found,
            average(({ means }) => means[plane]!),
          )
        : found) / planes
  }
  // A drawing or a page of text on clipped white is no noise.
  if (strong && low > 4 * high) return NOTHING
  // Rounding to whole levels adds 1/12 of a level squared by itself.
  const rounding = bitDepth === 8 ? 1 / 12 / factor ** 2 : 0
  return { sigma: factor * Math.sqrt(Math.max(0, variance - rounding)), slope: low / high }

  /** Fills `values` in 8-bit units; answers how many samples lie at an end of the scale. */
  function readBlock(left: number, top: number, plane: number): number {
    const scale = (bitDepth === 8 ? 1 : 1 / 257) / factor ** 2
    const peak = bitDepth === 8 ? 255 : 65_535
    let clipped = 0
    values.fill(0)
    for (let y = 0; y < side; y++) {
      let from = ((top + y) * width + left) * channels + plane
      const row = Math.floor(y / factor) * SIDE
      for (let x = 0; x < SIDE; x++) {
        for (let part = 0; part < factor; part++, from += channels) {
          const sample = samples[from]!
          if (sample === 0 || sample === peak) clipped++
          values[row + x]! += sample * scale
        }
      }
    }
    return clipped
  }
}

const rows = new Float64Array(AREA)

/** The squares of a block's high frequencies into `high`; the energy of the others, but for the mean's, is what remains of the whole (Parseval). */
function analyse(values: Float64Array, high: Float64Array): { mean: number; low: number } {
  let sum = 0
  let energy = 0
  for (const value of values) {
    sum += value
    energy += value * value
  }
  for (let u = HIGH_ROW; u < SIDE; u++) {
    for (let x = 0; x < SIDE; x++) {
      let product = 0
      for (let y = 0; y < SIDE; y++) product += DCT[u * SIDE + y]! * values[y * SIDE + x]!
      rows[u * SIDE + x] = product
    }
  }
  let low = energy - (sum * sum) / AREA
  for (let order = 0; order < HIGH.length; order++) {
    const { u, v } = HIGH[order]!
    let product = 0
    for (let x = 0; x < SIDE; x++) product += rows[u * SIDE + x]! * DCT[v * SIDE + x]!
    high[order] = product * product
    low -= product * product
  }
  return { mean: sum / AREA, low }
}

/** The variance of the normal noise of which clipping to 0..255 has left this variance and mean; by bisection. */
function unclip(variance: number, mean: number): number {
  const sigma = bisect(
    Math.sqrt(variance),
    4 * Math.sqrt(variance),
    (sigma) => clippedMoments(unclippedMean(mean, sigma), sigma).variance < variance,
  )
  return sigma * sigma
}

function unclippedMean(mean: number, sigma: number): number {
  return bisect(mean - 2 * sigma, mean + 2 * sigma, (candidate) => clippedMoments(candidate, sigma).mean < mean)
}

/** Where `below` turns from true to false between two values. */
function bisect(from: number, to: number, below: (value: number) => boolean): number {
  for (let step = 0; step < 24; step++) {
    const middle = (from + to) / 2
    if (below(middle)) from = middle
    else to = middle
  }
  return from
}

/** Mean and variance of normal values (mean, sigma) clipped to 0..255, summed over ±4 σ. */
function clippedMoments(mean: number, sigma: number): { mean: number; variance: number } {
  let [weights, sum, squares] = [0, 0, 0]
  for (let deviation = -4; deviation <= 4; deviation += 0.05) {
    const weight = Math.exp(-deviation * deviation * 0.5)
    const value = Math.min(255, Math.max(0, mean + sigma * deviation))
    weights += weight
    sum += weight * value
    squares += weight * value * value
  }
  return { mean: sum / weights, variance: squares / weights - (sum / weights) ** 2 }
}
