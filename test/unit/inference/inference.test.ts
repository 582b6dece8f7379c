import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Picture } from '../../../core/images/index.ts'
import { createInference, ModelRegistry, planTiles, type Inference } from '../../../core/inference/index.ts'
import { MODELS_DIR } from '../../support/engine.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'
import { spawnNodeInferenceWorker } from './worker.ts'

const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
const opened: Inference[] = []
afterEach(async () => {
  for (const inference of opened.splice(0)) await inference.close()
})

async function open(folder = MODELS_DIR, spawnWorker = spawnNodeInferenceWorker): Promise<Inference> {
  const inference = createInference({ registry: await ModelRegistry.open(folder), spawnWorker, threads: 2, log })
  opened.push(inference)
  return inference
}

async function denoiseAll(inference: Inference, source: Picture, sigma: number): Promise<Uint8Array | Uint16Array> {
  const target = new SharedArrayBuffer(source.buffer.byteLength)
  for (const tile of inference.plan('fast', source, 'file')) await inference.denoiseTile({ tier: 'fast', source, target, tile, sigma })
  return source.bitDepth === 8 ? new Uint8Array(target) : new Uint16Array(target)
}

describe('tiles', () => {
  test.each([
    [1, 8],
    [2, 16],
    [3, 16],
    [4, 8],
  ] as const)('%i channels of %i bits: noise goes, alpha stays, the depth is used', async (channels, bitDepth) => {
    const clean = makePicture(90, 70, channels, bitDepth, 0)
    const noisy = makePicture(90, 70, channels, bitDepth, 60)
    const result = await denoiseAll(await open(), noisy, 60 / Math.sqrt(12))
    const [truth, before] = [clean, noisy].map((picture) =>
      bitDepth === 8 ? new Uint8Array(picture.buffer) : new Uint16Array(picture.buffer),
    )
    const error = (samples: Uint8Array | Uint16Array) =>
      Array.from(samples).reduce((sum, value, index) => sum + (value - truth![index]!) ** 2, 0)
    if (channels === 2 || channels === 4) {
      for (let index = channels - 1; index < result.length; index += channels) expect(result[index]).toBe(before![index])
    }
    expect(error(result)).toBeLessThan(error(before!) * 0.75)
    if (bitDepth === 16) expect(new Set(result.map((value) => value % 257)).size).toBeGreaterThan(200)
  })
})

describe('models are verified', () => {
  test('a changed file is refused by name, and the others still serve', async () => {
    const folder = await temporaryFolder()
    await cp(MODELS_DIR, folder, { recursive: true })
    const { models } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
    const changed = join(folder, models.find((model: { tier?: string }) => model.tier === 'best').file)
    const bytes = await readFile(changed)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(changed, bytes)
    const inference = await open(folder)
    const source = makePicture(40, 40, 3, 8)
    const request = {
      source,
      target: new SharedArrayBuffer(source.buffer.byteLength),
      tile: planTiles({ width: 40, height: 40 }, { stride: 8, margin: 48 }, 'view')[0]!,
      sigma: 10,
    }
    await expect(inference.denoiseTile({ tier: 'best', ...request })).rejects.toMatchObject({ code: 'MODEL_CHECKSUM', path: changed })
    await inference.denoiseTile({ tier: 'fast', ...request })
    const states = Object.fromEntries(inference.models().map(({ tier, kind, state }) => [tier ?? kind, state]))
    expect(states).toMatchObject({ best: 'failed', fast: 'ready' })
  })

  test('a folder without models says so', async () => {
    const inference = await open(await temporaryFolder())
    expect(inference.models()).toEqual([])
    expect(inference.encoderHash()).toBeNull()
    await expect(inference.encode([new Uint8Array(112 * 112 * 3)])).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  test('a manifest that is not one is refused, naming it and what is wrong', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'manifest.json')
    await writeFile(path, JSON.stringify({ version: 1, models: [{ id: 'x', kind: 'denoiser', file: '../../etc/passwd' }] }))
    await expect(ModelRegistry.open(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      path,
      message: expect.stringContaining('file'),
    })
  })
})

describe('the worker', () => {
  const source = makePicture(64, 64, 3, 8)

  test('is started again after a crash; what was under way fails', async () => {
    let starts = 0
    const crashing = () =>
      new Worker(`require('node:worker_threads').parentPort.on('message', (m) => m.id && process.exit(3))`, { eval: true })
    const inference = await open(MODELS_DIR, () => (++starts === 1 ? crashing() : spawnNodeInferenceWorker()))
    const lost = await Promise.allSettled([inference.estimateNoise(source), inference.estimateNoise(source)])
    expect(lost.map((call) => call.status === 'rejected' && call.reason.code)).toEqual(['INFERENCE_FAILED', 'INFERENCE_FAILED'])
    expect((await inference.estimateNoise(source)).sigma).toBeGreaterThanOrEqual(0)
    expect(starts).toBe(2)
    expect(log.error).toHaveBeenCalled()
  })

  test('is given up after three crashes in a row', async () => {
    let starts = 0
    const inference = await open(MODELS_DIR, () => (starts++, new Worker('throw new Error("no such library")', { eval: true })))
    for (let attempt = 0; attempt < 5; attempt++)
      await expect(inference.estimateNoise(source)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' })
    expect(starts).toBe(3)
  })

  test('lets the process end once closed, its sessions used', async () => {
    const inference = await open()
    await denoiseAll(inference, source, 10)
    await inference.close()
    await expect(inference.estimateNoise(source)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' })
  })
})

test('descriptors have length one and follow the order of the inputs', async (context) => {
  const inference = await open()
  if (inference.encoderHash() === null) return context.skip('there is no encoder among the models yet')
  const inputs = Array.from({ length: 20 }, (_, index) => new Uint8Array(makePicture(112, 112, 3, 8, index * 12).buffer))
  const all = await inference.encode(inputs)
  for (const descriptor of all) expect(Math.hypot(...descriptor)).toBeCloseTo(1, 4)
  const [alone] = await inference.encode([inputs[17]!])
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0)
  expect(cosine(alone!, all[17]!)).toBeCloseTo(1, 4)
})

test('the decoder brings back the colours that were encoded, of each picture its own', async () => {
  const inference = await open()
  const inputs = [
    [230, 40, 40],
    [30, 60, 220],
  ].map((colour) => {
    // A lighter upper half: a picture of one value has nothing to tell it by.
    return Uint8Array.from({ length: 112 * 112 * 3 }, (_, at) => Math.min(255, colour[at % 3]! + (at < (112 * 112 * 3) / 2 ? 25 : 0)))
  })
  const descriptors = await inference.encode(inputs)
  expect(descriptors[0]).toHaveLength(inference.descriptorLength())
  const [red, blue] = (await inference.decode(descriptors)).map(({ data, side }) => {
    expect(data).toHaveLength(side * side * 3)
    return [0, 2].map((channel) => data.reduce((sum, value, at) => sum + (at % 3 === channel ? value : 0), 0))
  })
  expect(red![0]! - red![1]!).toBeGreaterThan(blue![0]! - blue![1]!)
})
