import type { Planes } from '../../core/inference/index.ts'
import { createRandom } from '../../core/random.ts'
import type { Network } from './network.ts'

/** What a tile may differ from the whole picture, in levels of 255. */
export const TOLERANCE = 1

/** What is cut in two: as far from the cut as any margin worth having, and no wider than it must be. */
const WIDTH = 384
const HEIGHT = 192
const CUT = WIDTH / 2

export interface TilingReport {
  /** The largest difference between a tile and the whole picture at pixels at least so far from the tile's edge; levels of 255. */
  worst: { margin: number; difference: number }[]
  /** The smallest margin, a multiple of the stride, that keeps within {@link TOLERANCE}. */
  margin: number
}

/**
 * How far a denoiser must see around a tile. Hard pictures (hard edges, fine patterns, none to the strongest noise,
 * noise levels that are right, wrong and step from place to place) are denoised whole and cut in two; what the cut
 * has changed is looked at by distance. An edge of a tile inside a picture is such a cut.
 */
export async function measureTiling(network: Network, stride: number, signal?: AbortSignal): Promise<TilingReport> {
  const byDistance = new Float64Array(CUT)
  for (const { picture, sigma } of hardInputs()) {
    signal?.throwIfAborted()
    const whole = await network.run(picture, sigma)
    for (const start of [0, CUT]) {
      const half = (data: Float32Array, planes: number) => {
        const part = new Float32Array(planes * HEIGHT * CUT)
        for (let row = 0; row < planes * HEIGHT; row++) {
          part.set(data.subarray(row * WIDTH + start, row * WIDTH + start + CUT), row * CUT)
        }
        return part
      }
      const part = await network.run({ data: half(picture.data, 3), width: CUT, height: HEIGHT }, half(sigma, 1))
      const expected = half(whole.data, 3)
      for (let index = 0; index < expected.length; index++) {
        const column = index % CUT
        const distance = start === 0 ? CUT - 1 - column : column
        const difference = 255 * Math.abs(part.data[index]! - expected[index]!)
        if (difference > byDistance[distance]!) byDistance[distance] = difference
      }
    }
  }
  const worst: TilingReport['worst'] = []
  for (let margin = 0; margin < CUT; margin += stride) worst.push({ margin, difference: Math.max(...byDistance.subarray(margin)) })
  const enough = worst.find(({ difference }) => difference <= TOLERANCE)
  return { worst: worst.slice(0, worst.findIndex(({ difference }) => difference < 1e-3) + 1), margin: enough?.margin ?? CUT }
}

type Drawing = (x: number, y: number, plane: number) => number

const DRAWINGS: Drawing[] = [
  () => 0.5,
  (x) => x / WIDTH,
  (x) => (x < CUT ? 0 : 1),
  (x, y) => ((x ^ y) & 1 ? 1 : 0),
  (x, y) => ((x >> 4) ^ (y >> 4)) & 1,
  (x, y) => ((x + 2 * y) % 97 < 48 ? 0.05 : 0.95),
  (x, y, plane) => (Math.hypot(x - CUT, y - HEIGHT / 2) < 60 + 10 * plane ? 1 : 0),
  (x, y, plane) => 0.5 + 0.5 * Math.sin((x * x) / 600 + (y * (plane + 1)) / 9),
]

/** σ of the noise that is added, and the noise level that the network is told at a place. */
const NOISES: { added: number; told(x: number, y: number): number }[] = [
  { added: 0, told: () => 0 },
  { added: 10, told: () => 10 },
  { added: 25, told: () => 25 },
  { added: 75, told: () => 75 },
  { added: 0, told: () => 75 },
  { added: 75, told: () => 10 },
  { added: 50, told: (x, y) => (((x >> 5) ^ (y >> 5)) & 1 ? 75 : 0) },
]

function* hardInputs(): Generator<{ picture: Planes; sigma: Float32Array }> {
  for (const [index, drawing] of DRAWINGS.entries()) {
    for (const { added, told } of NOISES) {
      const random = createRandom(index)
      const data = Float32Array.from({ length: 3 * WIDTH * HEIGHT }, (_, at) => {
        const y = Math.floor(at / WIDTH)
        return drawing(at % WIDTH, y % HEIGHT, Math.floor(y / HEIGHT)) + (added / 255) * random.normal()
      })
      const sigma = Float32Array.from({ length: WIDTH * HEIGHT }, (_, at) => told(at % WIDTH, Math.floor(at / WIDTH)) / 255)
      yield { picture: { data, width: WIDTH, height: HEIGHT }, sigma }
    }
  }
}
