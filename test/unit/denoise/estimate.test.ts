import { describe, expect, test } from 'vitest'
import { CELL, estimateNoise, planTiles, type EstimatorNetwork } from '../../../core/denoise/estimate.ts'
import { isClean } from '../../../core/denoise/sigma.ts'
import { makePicture } from '../images/samples.ts'

/** Answers the same level everywhere, with the same error of log2(1 + σ) to be expected, and remembers what it was shown. */
function constantNetwork(sigma: number, error = 1e-6) {
  const shown: { width: number; height: number; planes: Float32Array }[] = []
  const network: EstimatorNetwork = async (planes, width, height) => {
    shown.push({ width, height, planes: planes.slice() })
    const cells = (width * height) / CELL ** 2
    return new Float32Array(2 * cells).fill(Math.log2(1 + sigma), 0, cells).fill(Math.log(error), cells)
  }
  return { network, shown }
}

describe('the tiles looked at', () => {
  test.each([
    [1, 1],
    [8, 8],
    [40, 2000],
    [512, 512],
    [700, 300],
  ])('of %i × %i cover every pixel', (width, height) => {
    const { tiles, spacing } = planTiles(width, height)
    expect(spacing).toBe(0)
    const covered = new Uint8Array(width * height)
    for (const tile of tiles) {
      for (const value of [tile.x, tile.y, tile.width, tile.height]) expect(value % CELL).toBe(0)
      for (let y = tile.y; y < Math.min(height, tile.y + tile.height); y++)
        covered.fill(1, y * width + tile.x, y * width + Math.min(width, tile.x + tile.width))
    }
    expect(covered.every((seen) => seen === 1)).toBe(true)
  })

  test.each([
    [6000, 4000],
    [30_000, 30_000],
    [2000, 40_000],
  ])('of %i × %i are no more than 1.5 megapixels, from edge to edge', (width, height) => {
    const { tiles, spacing } = planTiles(width, height)
    expect(tiles.reduce((sum, tile) => sum + tile.width * tile.height, 0)).toBeLessThanOrEqual(24 * 256 * 256)
    expect(tiles.length).toBeGreaterThan(15)
    expect(Math.min(...tiles.map(({ x }) => x))).toBe(0)
    expect(Math.max(...tiles.map((tile) => tile.x + tile.width))).toBeGreaterThanOrEqual(width)
    expect(Math.max(...tiles.map((tile) => tile.y + tile.height))).toBeGreaterThanOrEqual(height)
    expect(spacing).toBeGreaterThan(0)
  })
})

test('a narrow strip is looked at along its length', () => {
  for (const [width, height] of [
    [100_000, 300],
    [300, 100_000],
  ] as const)
    expect(planTiles(width, height).tiles).toHaveLength(24)
})

test.each([
  [1, 1, 1, 8],
  [8, 8, 4, 8],
  [90, 70, 2, 16],
  [300, 200, 3, 16],
] as const)('%i × %i with %i channels of %i bits: a map of every cell, planes of 0..1', async (width, height, channels, bitDepth) => {
  const { network, shown } = constantNetwork(12)
  const estimate = await estimateNoise(makePicture(width, height, channels, bitDepth), network)
  expect(estimate.map).toMatchObject({ columns: Math.ceil(width / CELL), rows: Math.ceil(height / CELL), cell: CELL })
  expect(estimate.map.sigma).toHaveLength(estimate.map.columns * estimate.map.rows)
  for (const sigma of estimate.map.sigma) expect(sigma).toBeCloseTo(12, 3)
  expect(estimate.sigma).toBeCloseTo(12, 3)
  expect(isClean(estimate.sigma)).toBe(false)
  for (const { planes } of shown) {
    expect(planes.every((value) => value >= 0 && value <= 1)).toBe(true)
    expect(planes.some((value) => value > 0.05)).toBe(true)
  }
})

test('in doubt it is rather more', async () => {
  const picture = makePicture(64, 64, 3, 8)
  const sure = await estimateNoise(picture, constantNetwork(7, 0.01).network)
  const unsure = await estimateNoise(picture, constantNetwork(7, 0.6).network)
  const lost = await estimateNoise(picture, constantNetwork(7, 3).network)
  expect(sure.sigma).toBeLessThan(7.2)
  expect(unsure.sigma).toBeGreaterThan(8)
  // Great doubt is that of texture: it adds no more.
  expect(lost.sigma).toBeCloseTo(unsure.sigma, 5)
})

test('hardly any noise is none, and no level leaves 0..75', async () => {
  const picture = makePicture(64, 64, 3, 8)
  expect(isClean((await estimateNoise(picture, constantNetwork(0.3).network)).sigma)).toBe(true)
  expect((await estimateNoise(picture, constantNetwork(200).network)).sigma).toBeCloseTo(75, 3)
  expect((await estimateNoise(picture, constantNetwork(-0.4).network)).sigma).toBe(0)
})
