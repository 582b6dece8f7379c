import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, describe, expect, test } from 'vitest'
import { spawnNodeInferenceWorker } from './worker.ts'
import { createInference, ModelRegistry, tileCores } from '../../../core/inference/index.ts'
import { mirrored, OVERLAP, tileShape, windowOf } from '../../../core/inference/tiling.ts'
import { createRandom } from '../../../core/random.ts'
import { MODELS_DIR } from '../../support/engine.ts'

describe('the plan', () => {
  test.each([
    [1, 1],
    [7, 900],
    [448, 449],
    [897, 1345],
    [6000, 4000],
  ])('of %i × %i: cores cover every pixel once, all windows are alike and on the grid', (width, height) => {
    const cores = tileCores(width, height)
    const covered = cores.reduce((sum, core) => sum + core.width * core.height, 0)
    expect(covered).toBe(width * height)
    const { window } = tileShape(width, height)
    expect(Math.max(window.width, window.height)).toBeLessThanOrEqual(512)
    for (const core of cores) {
      const shown = windowOf(core, width, height)
      expect(shown).toMatchObject(window)
      for (const value of [shown.x, shown.y, shown.width, shown.height]) expect(Math.abs(value % 16)).toBe(0)
      expect(core.x + core.width).toBeLessThanOrEqual(width)
      expect(shown.x + shown.width - (core.x + core.width)).toBeGreaterThanOrEqual(OVERLAP)
    }
  })

  test('edges are mirrored without repeating them, however small the picture', () => {
    expect([...mirrored(-3, 10, 4)]).toEqual([3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    expect([...mirrored(-2, 4, 1)]).toEqual([0, 0, 0, 0])
  })
})

describe('tiled equals untiled', () => {
  const width = 520
  const height = 470
  const inference = ModelRegistry.open(MODELS_DIR).then((registry) =>
    createInference({ registry, spawnWorker: spawnNodeInferenceWorker, threads: 2, log: console }),
  )
  afterAll(async () => (await inference).close())

  test.each(['fast', 'best'] as const)('%s: no sample differs by more than 1/255, and no step shows where tiles meet', async (tier) => {
    const random = createRandom(7)
    const data = Float32Array.from({ length: 3 * width * height }, (_, index) => {
      const x = index % width
      const y = Math.floor(index / width) % height
      return 0.5 + 0.3 * Math.sin(x / 19) * Math.cos(y / 27) + (x > 300 ? 0.1 : 0) + (25 / 255) * random.normal()
    })
    expect(tileCores(width, height).length).toBeGreaterThan(2)
    const { data: tiled } = await (await inference).denoiseFloat(tier, { data, width, height }, 25)
    const untiled = await denoiseWhole(tier, data)
    let worst = 0
    for (let index = 0; index < data.length; index++) worst = Math.max(worst, Math.abs(tiled[index]! - untiled[index]!))
    expect(worst).toBeLessThanOrEqual(1 / 255)
    // It did denoise: half of the noise is the least that any model takes away.
    let rest = 0
    for (let index = 0; index < data.length; index++) rest += (data[index]! - tiled[index]!) ** 2
    expect(Math.sqrt(rest / data.length) * 255).toBeGreaterThan(12)
  })

  /** One run over the whole picture, mirrored beyond its edges. */
  async function denoiseWhole(tier: string, data: Float32Array): Promise<Float32Array> {
    const manifest = JSON.parse(await readFile(join(MODELS_DIR, 'manifest.json'), 'utf8'))
    const { file } = manifest.models.find((model: { tier?: string }) => model.tier === tier)
    const session = await InferenceSession.create(join(MODELS_DIR, file))
    const margin = 96
    const [w, h] = [Math.ceil((width + 2 * margin) / 16) * 16, Math.ceil((height + 2 * margin) / 16) * 16]
    const [columns, rows] = [mirrored(-margin, w, width), mirrored(-margin, h, height)]
    const padded = new Float32Array(3 * w * h)
    let to = 0
    for (let plane = 0; plane < 3; plane++)
      for (const y of rows) for (const x of columns) padded[to++] = data[(plane * height + y) * width + x]!
    const sigma = new Float32Array(w * h).fill(25 / 255)
    const { denoised } = await session.run({
      image: new Tensor('float32', padded, [1, 3, h, w]),
      sigma: new Tensor('float32', sigma, [1, 1, h, w]),
    })
    const all = denoised!.data as Float32Array
    return Float32Array.from(data, (_, index) => {
      const plane = Math.floor(index / (width * height))
      const y = Math.floor(index / width) % height
      return all[(plane * h + y + margin) * w + (index % width) + margin]!
    })
  }
})
