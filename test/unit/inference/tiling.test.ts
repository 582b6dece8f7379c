import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, describe, expect, test } from 'vitest'
import { createInference, ModelRegistry, planTiles, type Planes, type TileUse } from '../../../core/inference/index.ts'
import { mirrored, WINDOW_MAX, type TileNeeds } from '../../../core/inference/tiling.ts'
import { createRandom } from '../../../core/random.ts'
import { MODELS_DIR } from '../../support/engine.ts'
import { spawnNodeInferenceWorker } from './worker.ts'

const NEEDS = { stride: 8, margin: 48 }
const USES = ['view', 'file'] as const
const { models } = JSON.parse(readFileSync(join(MODELS_DIR, 'manifest.json'), 'utf8')) as {
  models: { tier?: string; file: string; stride: number; tileMargin: number }[]
}

/** The sides of the windows that pictures are ever cut into, each with the shortest picture that has it. */
function offered(needs: TileNeeds, use: TileUse): Map<number, number> {
  const lengths = new Map<number, number>()
  for (let length = WINDOW_MAX[use] + 1; length <= 20_000; length++) {
    const side = planTiles({ width: length, height: 1 }, needs, use)[0]!.window.width
    if (!lengths.has(side)) lengths.set(side, length)
  }
  return lengths
}

describe.each(USES)('the plan for a %s', (use) => {
  test.each([
    [1, 1],
    [7, 900],
    [608, 609],
    [1408, 1409],
    [2001, 1302],
    [6000, 4000],
    [65_535, 300],
  ])('of %i × %i: cores cover every pixel once; windows are alike, on the stride, and show the margin or the edge', (width, height) => {
    const tiles = planTiles({ width, height }, NEEDS, use)
    const [columns, rows] = (['x', 'y'] as const).map((axis) => new Set(tiles.map(({ core }) => core[axis])).size)
    expect(tiles).toHaveLength(columns! * rows!)
    expect(tiles.reduce((sum, { core }) => sum + core.width * core.height, 0)).toBe(width * height)
    for (const { core, window } of tiles) {
      expect(Math.min(core.width, core.height)).toBeGreaterThan(0)
      expect([window.width, window.height]).toEqual([tiles[0]!.window.width, tiles[0]!.window.height])
      expect(Math.max(window.width, window.height)).toBeLessThanOrEqual(WINDOW_MAX[use])
      for (const value of Object.values(window)) expect(value % NEEDS.stride).toBe(0)
      expect(window.x).toBeGreaterThanOrEqual(0)
      expect(window.x).toBeLessThanOrEqual(Math.max(0, core.x - NEEDS.margin))
      expect(window.x + window.width).toBeGreaterThanOrEqual(Math.min(width, core.x + core.width + NEEDS.margin))
      expect(window.x + window.width).toBeLessThan(width + NEEDS.stride)
      expect(window.y).toBeLessThanOrEqual(Math.max(0, core.y - NEEDS.margin))
      expect(window.y + window.height).toBeGreaterThanOrEqual(Math.min(height, core.y + core.height + NEEDS.margin))
      expect(window.y + window.height).toBeLessThan(height + NEEDS.stride)
    }
  })

  test('has a few kinds of windows only, none much smaller than it may be', () => {
    const sides = [...offered(NEEDS, use).keys()]
    expect(sides.every((side) => side % 16 === 0)).toBe(true)
    expect(sides.length).toBeLessThan(25)
    expect(Math.max(...sides)).toBe(WINDOW_MAX[use])
    expect(Math.min(...sides)).toBeGreaterThan(WINDOW_MAX[use] / 2)
  })
})

describe('the plan for a part', () => {
  const size = { width: 2003, height: 1501 }
  test.each([
    { x: 700, y: 333, width: 801, height: 500 },
    { x: 0, y: 0, width: 100, height: 1501 },
    { x: 1990, y: 1490, width: 13, height: 11 },
    { x: 40, y: 60, width: 1, height: 1 },
  ])('$width × $height at $x, $y: cores cover it alone, once; windows show the margin around it or the edge', (part) => {
    const tiles = planTiles(size, NEEDS, 'view', part)
    expect(tiles.reduce((sum, { core }) => sum + core.width * core.height, 0)).toBe(part.width * part.height)
    for (const { core, window } of tiles) {
      expect(core.x).toBeGreaterThanOrEqual(part.x)
      expect(core.x + core.width).toBeLessThanOrEqual(part.x + part.width)
      expect(core.y).toBeGreaterThanOrEqual(part.y)
      expect(core.y + core.height).toBeLessThanOrEqual(part.y + part.height)
      for (const value of Object.values(window)) expect(value % NEEDS.stride).toBe(0)
      expect(Math.max(window.width, window.height)).toBeLessThanOrEqual(WINDOW_MAX.view)
      expect(window.x).toBeLessThanOrEqual(Math.max(0, core.x - NEEDS.margin))
      expect(window.y).toBeLessThanOrEqual(Math.max(0, core.y - NEEDS.margin))
      expect(window.x + window.width).toBeGreaterThanOrEqual(Math.min(size.width, core.x + core.width + NEEDS.margin))
      expect(window.y + window.height).toBeGreaterThanOrEqual(Math.min(size.height, core.y + core.height + NEEDS.margin))
    }
  })
})

describe('edges', () => {
  test('are mirrored without repeating them, however small the picture', () => {
    expect([...mirrored(-3, 10, 4)]).toEqual([3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    expect([...mirrored(-2, 4, 1)]).toEqual([0, 0, 0, 0])
  })
})

describe.each(['fast', 'best'] as const)('tiled equals untiled: %s', (tier) => {
  const { file, stride, tileMargin: margin } = models.find((model) => model.tier === tier)!
  const inference = ModelRegistry.open(MODELS_DIR).then((registry) =>
    createInference({ registry, spawnWorker: spawnNodeInferenceWorker, threads: 2, log: console }),
  )
  const session = InferenceSession.create(join(MODELS_DIR, file))
  afterAll(async () => {
    await (await inference).close()
    await (await session).release()
  })

  test.each(USES.flatMap((use) => [...offered({ stride, margin }, use)].map(([side, width]) => [side, use, width] as const)))(
    'windows of %i for a %s: no sample differs by more than 1/255',
    async (side, use, width) => {
      expect(await worstOf(bands(width, 24, side), 75, use)).toBeLessThanOrEqual(1 / 255)
    },
  )

  test('tiles side by side and above each other, in a picture of any sides: the same', async () => {
    const picture = bands(709, 1150, 1)
    expect(planTiles({ width: 709, height: 1150 }, { stride, margin }, 'view')).toHaveLength(6)
    expect(await worstOf(picture, 25, 'view')).toBeLessThanOrEqual(1 / 255)
  })

  async function worstOf(picture: Planes, sigma: number, use: TileUse): Promise<number> {
    const { data: tiled } = await (await inference).denoiseFloat(tier, picture, sigma, use)
    const untiled = await denoiseWhole(picture, sigma)
    let [worst, removed] = [0, 0]
    for (let index = 0; index < tiled.length; index++) {
      worst = Math.max(worst, Math.abs(tiled[index]! - untiled[index]!))
      removed += (picture.data[index]! - tiled[index]!) ** 2
    }
    // It did denoise: half of the noise is the least that any model takes away.
    expect(Math.sqrt(removed / tiled.length) * 255).toBeGreaterThan(sigma / 2)
    return worst
  }

  /** One run over the whole picture, mirrored up to whole strides. */
  async function denoiseWhole({ data, width, height }: Planes, sigma: number): Promise<Float32Array> {
    const [w, h] = [Math.ceil(width / 8) * 8, Math.ceil(height / 8) * 8]
    const [columns, rows] = [mirrored(0, w, width), mirrored(0, h, height)]
    const padded = new Float32Array(3 * w * h)
    let to = 0
    for (let plane = 0; plane < 3; plane++)
      for (const y of rows) for (const x of columns) padded[to++] = data[(plane * height + y) * width + x]!
    const { denoised } = await (
      await session
    ).run({
      image: new Tensor('float32', padded, [1, 3, h, w]),
      sigma: new Tensor('float32', new Float32Array(w * h).fill(sigma / 255), [1, 1, h, w]),
    })
    const all = denoised!.data as Float32Array
    return Float32Array.from(data, (_, index) => {
      const row = Math.floor(index / width)
      return all[(Math.floor(row / height) * h + (row % height)) * w + (index % width)]!
    })
  }
})

/** Flat above, then a gradient with hard edges, then texture; strong noise over all of it. */
function bands(width: number, height: number, seed: number): Planes {
  const random = createRandom(seed)
  const data = Float32Array.from({ length: 3 * width * height }, (_, index) => {
    const x = index % width
    const y = Math.floor(index / width) % height
    const band = Math.floor((3 * y) / height)
    const drawn =
      band === 0 ? 0.2 : band === 1 ? x / width + (x % 90 < 45 ? 0.3 : 0) : 0.5 + 0.4 * Math.sin((x * x) / 900) * Math.cos(y / 2)
    return drawn + (75 / 255) * random.normal()
  })
  return { data, width, height }
}
