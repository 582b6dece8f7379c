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
      const part = await network.run({ data: half(picture.data, start), width: CUT, height: HEIGHT }, half(sigma, start))
      const expected = half(whole.data, start)
      for (let index = 0; index < expected.length; index++) {
        const column = index % CUT
        const distance = start === 0 ? CUT - 1 - column : column
        byDistance[distance] = Math.max(byDistance[distance]!, 255 * Math.abs(part.data[index]! - expected[index]!))
      }
    }
  }
  const worst: TilingReport['worst'] = []
  for (let margin = 0; margin < CUT; margin += stride) worst.push({ margin, difference: Math.max(...byDistance.subarray(margin)) })
  const enough = worst.find(({ difference }) => difference <= TOLERANCE)
  const nothing = worst.findIndex(({ difference }) => difference < 1e-3)
  return { worst: nothing < 0 ? worst : worst.slice(0, nothing + 1), margin: enough?.margin ?? CUT }
}

/** The columns from `start` on, of all planes. */
function half(planes: Float32Array, start: number): Float32Array {
  const part = new Float32Array(planes.length / 2)
  for (let row = 0; row < planes.length / WIDTH; row++) part.set(planes.subarray(row * WIDTH + start, row * WIDTH + start + CUT), row * CUT)
  return part
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
  const sigma = new Float32Array(WIDTH * HEIGHT)
  const data = new Float32Array(3 * sigma.length)
  for (const [index, drawing] of DRAWINGS.entries()) {
    for (const { added, told } of NOISES) {
      const random = createRandom(index)
      for (let y = 0, at = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++, at++) {
          sigma[at] = told(x, y) / 255
          for (let plane = 0; plane < 3; plane++) {
            data[plane * sigma.length + at] = drawing(x, y, plane) + (added === 0 ? 0 : (added / 255) * random.normal())
          }
        }
      }
      yield { picture: { data, width: WIDTH, height: HEIGHT }, sigma }
    }
  }
}
