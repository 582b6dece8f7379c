import type { Miniature } from '../images/miniature.ts'

/**
 * Whether one picture lies inside another, told by laying it on at many sizes and places.
 *
 * The likeness at one place is the normalised cross-correlation (Lewis, "Fast Normalized Cross-Correlation",
 * 1995): once of the grey values, once of what is left of them without their local mean. The first alone calls
 * any two skies alike, the second alone any two lawns: their geometric mean asks for both.
 */

/** Sizes tried, as shares of the largest that fits: 0.5 is a crop of a quarter of the area. */
export const SIZES: readonly number[] = [1, 0.93, 0.86, 0.79, 0.72, 0.66, 0.6, 0.55, 0.5]
/** Enough of them for a first impression. */
export const FEW_SIZES = SIZES.filter((_, index) => index % 2 === 0)
/** Side of the window whose mean is taken away, in pixels of a miniature. */
const LOCAL_PX = 7
/** Standard deviations, in grey levels, under which a part is too plain to compare. */
const PLAIN = 3
const PLAIN_DETAIL = 2
/** Where the grey values are no more alike than this, detail is not looked at: most places. */
const PROMISING = 0.5
/** Smaller sides than this hold too little to be told by. */
const SMALLEST_PX = 6

interface Plane {
  width: number
  height: number
  values: Float32Array
}

/** A miniature ready to be searched: grey values and detail, with their running sums. */
export interface Ground {
  width: number
  height: number
  grey: Summed
  detail: Summed
}

interface Summed {
  values: Float32Array
  /** Sums over all to the left and above, (width + 1) × (height + 1): of the values, of their squares. */
  sums: Float64Array
  squares: Float64Array
}

/** A query's miniature, and the sizes it was already needed at. */
export class Template {
  readonly #plane: Plane
  readonly #sizes = new Map<number, { grey: Float32Array | undefined; detail: Float32Array | undefined }>()

  constructor({ width, height, grey }: Miniature) {
    this.#plane = { width, height, values: Float32Array.from(grey) }
  }

  get ratio(): number {
    return this.#plane.width / this.#plane.height
  }

  /** At a size: mean 0 and length 1; undefined where it is too plain. */
  at(width: number, height: number) {
    const key = width * 65_536 + height
    const known = this.#sizes.get(key)
    if (known) return known
    const plane = resampled(this.#plane, width, height)
    const made = { grey: normalised(plane.values, PLAIN), detail: normalised(detailOf(plane), PLAIN_DETAIL) }
    this.#sizes.set(key, made)
    return made
  }
}

/** `shrunk`: by so much before it is searched. */
export function groundOf({ width, height, grey }: Miniature, shrunk = 1): Ground {
  let plane: Plane = { width, height, values: Float32Array.from(grey) }
  if (shrunk > 1) plane = resampled(plane, Math.max(1, Math.round(width / shrunk)), Math.max(1, Math.round(height / shrunk)))
  return {
    width: plane.width,
    height: plane.height,
    grey: summed(plane, plane.values),
    detail: summed(plane, detailOf(plane)),
  }
}

/** 0..1: how well the template, at its best size and place, covers a part of the ground. */
export function alignment(template: Template, ground: Ground, sizes = SIZES): number {
  const [fullWidth, fullHeight] = fitted(template.ratio, ground.width, ground.height)
  let best = 0
  let last = 0
  for (const size of sizes) {
    const width = Math.round(fullWidth * size)
    const height = Math.round(fullHeight * size)
    if (Math.min(width, height) < SMALLEST_PX) break
    if (width * 65_536 + height === last) continue
    last = width * 65_536 + height
    const { grey, detail } = template.at(width, height)
    if (!grey || !detail) continue
    for (let top = 0; top + height <= ground.height; top++) {
      for (let left = 0; left + width <= ground.width; left++) {
        const coarse = correlation(grey, width, height, ground.grey, ground.width, left, top, PLAIN)
        if (coarse < PROMISING || coarse <= best * best) continue
        const fine = correlation(detail, width, height, ground.detail, ground.width, left, top, PLAIN_DETAIL)
        if (fine > 0) best = Math.max(best, Math.sqrt(coarse * fine))
      }
    }
  }
  return Math.min(1, best)
}

/** The largest width and height of a ratio inside others. */
function fitted(ratio: number, width: number, height: number): [number, number] {
  return ratio > width / height ? [width, width / ratio] : [height * ratio, height]
}

/** The template has mean 0 and length 1, so the ground's mean falls away. */
function correlation(
  template: Float32Array,
  width: number,
  height: number,
  { values, sums, squares }: Summed,
  stride: number,
  left: number,
  top: number,
  plain: number,
): number {
  const count = width * height
  const sum = within(sums, stride + 1, left, top, width, height)
  const power = within(squares, stride + 1, left, top, width, height) - (sum * sum) / count
  if (power < plain * plain * count) return 0
  let product = 0
  for (let y = 0, t = 0; y < height; y++) {
    let at = (top + y) * stride + left
    for (let x = 0; x < width; x++) product += template[t++]! * values[at++]!
  }
  return product / Math.sqrt(power)
}

function within(sums: Float64Array, stride: number, left: number, top: number, width: number, height: number): number {
  const [above, below] = [top * stride + left, (top + height) * stride + left]
  return sums[below + width]! - sums[below]! - sums[above + width]! + sums[above]!
}

function summed({ width, height }: Plane, values: Float32Array): Summed {
  const stride = width + 1
  const sums = new Float64Array(stride * (height + 1))
  const squares = new Float64Array(stride * (height + 1))
  for (let y = 0; y < height; y++) {
    let [row, rowSquares] = [0, 0]
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x]!
      row += value
      rowSquares += value * value
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1]! + row
      squares[(y + 1) * stride + x + 1] = squares[y * stride + x + 1]! + rowSquares
    }
  }
  return { values, sums, squares }
}

function normalised(values: Float32Array, plain: number): Float32Array | undefined {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const centred = values.map((value) => value - mean)
  const power = centred.reduce((sum, value) => sum + value * value, 0)
  if (power < plain * plain * values.length) return undefined
  const length = Math.sqrt(power)
  return centred.map((value) => value / length)
}

/** The values less their mean over LOCAL_PX², the window cut at the edges. */
function detailOf(plane: Plane): Float32Array {
  const { width, height, values } = plane
  const { sums } = summed(plane, values)
  const reach = (LOCAL_PX - 1) / 2
  const detail = new Float32Array(values.length)
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - reach), Math.min(height, y + reach + 1)]
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - reach), Math.min(width, x + reach + 1)]
      const mean = within(sums, width + 1, left, top, right - left, bottom - top) / ((right - left) * (bottom - top))
      detail[y * width + x] = values[y * width + x]! - mean
    }
  }
  return detail
}

/** Each new pixel is the mean of what it covers. */
function resampled(plane: Plane, width: number, height: number): Plane {
  const rows = resampledRows(plane, width)
  const columns = resampledRows(transposed(rows), height)
  return transposed(columns)
}

function resampledRows({ width, height, values }: Plane, wanted: number): Plane {
  const result = new Float32Array(wanted * height)
  const step = width / wanted
  for (let x = 0; x < wanted; x++) {
    const [from, to] = [x * step, (x + 1) * step]
    for (let source = Math.floor(from); source < Math.min(width, Math.ceil(to)); source++) {
      const share = (Math.min(to, source + 1) - Math.max(from, source)) / step
      for (let y = 0; y < height; y++) result[y * wanted + x]! += share * values[y * width + source]!
    }
  }
  return { width: wanted, height, values: result }
}

function transposed({ width, height, values }: Plane): Plane {
  const result = new Float32Array(values.length)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result[x * height + y] = values[y * width + x]!
  return { width: height, height: width, values: result }
}
