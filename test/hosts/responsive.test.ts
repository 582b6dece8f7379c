/** Work never holds the engine's loop (design rule 3): a click is answered while pictures are denoised and indexed. */
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../core/engine.ts'
import { nodeDeps, silentLog } from '../../core/hosts/node.ts'
import { MODELS_DIR, settled } from '../support/engine.ts'
import { longestHold, slowness } from '../support/loopHold.ts'
import { temporaryFolder, writePhotos } from '../support/pictures.ts'

const LIMIT_MS = 50

let engine: Engine
let root: string
/** Before the work; it is measured again after. */
let slow: number

beforeAll(async () => {
  slow = slowness()
  root = await temporaryFolder()
  engine = await createEngine(
    { libraryDir: path.join(root, 'library'), modelsDir: MODELS_DIR, version: '0.0.0', host: 'node', watch: false },
    nodeDeps(silentLog),
  )
}, 60_000)
afterAll(() => engine.close())

it('while a 24-megapixel picture is opened, denoised and exported', async () => {
  const file = path.join(root, 'large.jpg')
  await sharp({
    create: { width: 6000, height: 4000, channels: 3, background: '#557799', noise: { type: 'gaussian', mean: 120, sigma: 20 } },
  })
    .jpeg({ quality: 90 })
    .toFile(file)
  const hold = await longestHold(async () => {
    const session = await engine.api.denoise.open({ source: { kind: 'path', path: file } })
    const preview = await engine.api.jobs.start({ kind: 'denoise-preview', sessionId: session.id, tier: 'fast', sigma: 'auto' })
    expect((await settled(engine, preview.jobId)).state).toBe('done')
    const { jobId } = await engine.api.jobs.start({
      kind: 'denoise',
      sources: [{ kind: 'path', path: file }],
      settings: { tier: 'fast', sigma: 'auto', strength: 80 },
      output: {},
      destination: { kind: 'beside' },
    })
    expect(await settled(engine, jobId)).toMatchObject({ state: 'done', failed: 0 })
  })
  console.log(`longest hold: ${hold.toFixed(1)} ms`)
  expect(hold).toBeLessThan(LIMIT_MS * Math.max(slow, slowness()))
}, 240_000)

it('while 1,000 pictures are indexed', async () => {
  const pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 1000, { width: 320, height: 240 })
  const hold = await longestHold(async () => {
    const { jobId } = await engine.api.library.addFolder({ path: pictures })
    expect(await settled(engine, jobId!)).toMatchObject({ state: 'done', done: 1000, failed: 0 })
  })
  console.log(`longest hold: ${hold.toFixed(1)} ms`)
  expect(hold).toBeLessThan(LIMIT_MS * Math.max(slow, slowness()))
}, 180_000)
