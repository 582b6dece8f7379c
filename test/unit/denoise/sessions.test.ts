import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { CONFIDENCE_SCALE, jobSpec, type DenoiseConfidence, type DenoiseTile } from '../../../core/contract/index.ts'
import { decodeHere } from '../../../core/decoder/index.ts'
import { DenoiseSessions } from '../../../core/denoise/index.ts'
import { writePicture } from '../../../core/images/index.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture, wideGamutProfile } from '../images/samples.ts'
import { HalvingInference, jobContext } from './halving.ts'

const folder = await temporaryFolder()

async function open(width = 600, height = 500) {
  const path = join(folder, `${crypto.randomUUID()}.png`)
  await writePicture(makePicture(width, height, 3, 8), path, { format: 'png', bitDepth: 'keep', quality: 90 })
  const inference = new HalvingInference()
  const sessions = new DenoiseSessions(inference, decodeHere)
  return { path, inference, sessions, session: await sessions.open({ path, name: 'a picture' }) }
}

const preview = (sessionId: string, change: object = {}) =>
  ({ kind: 'denoise-preview', sessionId, tier: 'fast', sigma: 20, ...change }) as const

test('tiles are announced outward from the focus, cover the picture, and are served', async () => {
  const { sessions, session } = await open()
  expect(session).toMatchObject({ name: 'a picture', width: 600, height: 500, sigma: 10, clean: false })
  const tiles: DenoiseTile[] = []
  const context = jobContext()
  await sessions.preview(preview(session.id, { focus: { x: 590, y: 490 } }), context, (tile) => tiles.push(tile))
  expect(tiles.reduce((sum, { width, height }) => sum + width * height, 0)).toBe(600 * 500)
  const [first] = tiles
  expect(first!.x + first!.width).toBe(600)
  expect(first!.y + first!.height).toBe(500)
  expect(context.changes.at(-1)).toEqual({ done: tiles.length, total: tiles.length })

  const shown = await sharp((await sessions.tile(session.id, first!.revision, first!.x, first!.y))!)
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect(shown.info).toMatchObject({ width: first!.width, height: first!.height })
  const whole = await sharp(await sessions.original(session.id))
    .extract({ left: first!.x, top: first!.y, width: first!.width, height: first!.height })
    .raw()
    .toBuffer()
  const mean = (samples: Buffer) => samples.reduce((sum, value) => sum + value, 0) / samples.length
  expect(mean(shown.data)).toBeCloseTo(mean(whole) / 2, -0.5)
})

test('tiles of an older preview are gone', async () => {
  const { sessions, session } = await open()
  const revisions: number[] = []
  for (const sigma of [20, 30])
    await sessions.preview(preview(session.id, { sigma }), jobContext(), ({ revision }) => revisions.push(revision))
  expect(await sessions.tile(session.id, revisions[0]!, 0, 0)).toBeUndefined()
  expect(await sessions.tile(session.id, revisions.at(-1)!, 0, 0)).toBeDefined()
})

test('the same settings again need no inference; a cancelled preview is not taken for a finished one', async () => {
  const { sessions, session, inference } = await open(1500, 500)
  const cancelled = jobContext((count, context) => count === 2 && context.cancel())
  await expect(sessions.preview(preview(session.id), cancelled, () => {})).rejects.toThrow()
  expect(inference.tiles).toHaveLength(1)
  await sessions.preview(preview(session.id), jobContext(), () => {})
  const used = inference.tiles.length
  expect(used).toBeGreaterThan(2)
  let announced = 0
  await sessions.preview(preview(session.id), jobContext(), () => announced++)
  expect(inference.tiles).toHaveLength(used)
  expect(announced).toBe(used)
})

test('the network that was used last is loaded while the next picture is decoded', async () => {
  const { sessions, session, inference, path } = await open()
  await sessions.preview(preview(session.id), jobContext(), () => {})
  await sessions.open({ path, name: 'again' })
  expect(inference.prepared).toEqual(['best', 'fast'])
})

test('a clean picture is shown as it is', async () => {
  const { sessions, inference, path } = await open()
  inference.estimated = 0.7
  const session = await sessions.open({ path, name: 'clean' })
  expect(session.clean).toBe(true)
  await sessions.preview(preview(session.id, { sigma: 'auto' }), jobContext(), () => {})
  expect(inference.tiles).toHaveLength(0)
})

test('the last two stay open', async () => {
  const { sessions, session, path } = await open()
  await sessions.open({ path, name: 'second' })
  expect(sessions.get(session.id).name).toBe('a picture')
  await sessions.open({ path, name: 'third' })
  expect(() => sessions.get(session.id)).toThrowError(expect.objectContaining({ code: 'SESSION_NOT_FOUND' }))
})

test('what an export can reuse: only while the file is the same, only the same settings', async () => {
  const { sessions, session, path } = await open()
  await sessions.preview(preview(session.id), jobContext(), () => {})
  const reuse = await sessions.reuse(path)
  expect(reuse!.result('fast', 20)).toBeDefined()
  expect(reuse!.result('fast', 21)).toBeUndefined()
  expect(reuse!.result('best', 20)).toBeUndefined()
  await writeFile(path, 'something else')
  expect(await sessions.reuse(path)).toBeUndefined()
})

test('the original and the tiles of a wide-gamut picture show the same colours', async () => {
  const path = join(folder, 'wide.png')
  const picture = makePicture(64, 64, 3, 16, 0)
  await writePicture({ ...picture, tags: { icc: await wideGamutProfile() } }, path, { format: 'png', bitDepth: 'keep', quality: 90 })
  const inference = new HalvingInference()
  inference.estimated = 0
  const sessions = new DenoiseSessions(inference, decodeHere)
  const session = await sessions.open({ path, name: 'wide' })
  await sessions.preview(preview(session.id, { sigma: 'auto' }), jobContext(), () => {})
  const original = await sharp(await sessions.original(session.id))
    .raw()
    .toBuffer()
  const tile = await sharp((await sessions.tile(session.id, 1, 0, 0))!)
    .raw()
    .toBuffer()
  const difference = original.reduce((sum, value, index) => sum + Math.abs(value - tile[index]!), 0) / original.length
  expect(difference).toBeLessThan(1.5)
  // And they are converted: shown as they are stored they would be several levels off.
  const stored = new Uint16Array(picture.buffer)
  const unconverted = original.reduce((sum, value, index) => sum + Math.abs(value - stored[index]! / 257), 0) / original.length
  expect(unconverted).toBeGreaterThan(3)
})

test('where the picture is shown smaller, a reduced one comes first and covers what is seen', async () => {
  const { sessions, session, inference } = await open(900, 700)
  const tiles: DenoiseTile[] = []
  const view = { x: 100, y: 50, width: 799, height: 600, scale: 0.34 }
  await sessions.preview(preview(session.id, { view }), jobContext(), (tile) => tiles.push(tile))
  const [look, ...rest] = tiles
  expect(look).toMatchObject({ x: 100, y: 50, width: 799, height: 600, scale: 3 })
  // White noise of σ 20 has a third of that left.
  expect(inference.tiles[0]).toMatchObject({ sigma: 20 / 3, source: { width: 267, height: 200 } })
  expect(rest.every(({ scale }) => scale === undefined)).toBe(true)
  expect(rest.reduce((sum, { width, height }) => sum + width * height, 0)).toBe(900 * 700)
  const shown = sharp((await sessions.lookTile(session.id, look!.revision, 0, 0))!)
  expect(await shown.metadata()).toMatchObject({ width: 267, height: 200 })
  const mean = (await shown.stats()).channels[0]!.mean
  const { channels } = await sharp(await sessions.original(session.id))
    .extract({ left: 100, top: 50, width: 799, height: 600 })
    .stats()
  expect(mean).toBeCloseTo(channels[0]!.mean / 2, -0.5)
})

test('a picture that will be fitted like the last one is made smaller and looked at while it is opened', async () => {
  const { sessions, session, inference, path } = await open(900, 700)
  const view = { x: 0, y: 0, width: 900, height: 700, scale: 0.34 }
  const look = async (sessionId: string) => {
    const tiles: DenoiseTile[] = []
    await sessions.preview(preview(sessionId, { view, sigma: 'auto' }), jobContext(), (tile) => tiles.push(tile))
    return (await sessions.lookTile(sessionId, tiles[0]!.revision, 0, 0))!
  }
  // Much longer than making it smaller takes.
  const settled = () => setTimeout(300)
  const first = await look(session.id)
  expect(inference.estimates).toEqual(['900 × 700', '300 × 234'])
  const again = await sessions.open({ path, name: 'the same again' })
  await expect.poll(() => inference.estimates.slice(2)).toEqual(['900 × 700', '300 × 234'])
  expect(Buffer.from(await look(again.id)).equals(Buffer.from(first))).toBe(true)
  expect(inference.estimates.length).toBe(4)

  inference.estimated = 0.5
  await sessions.open({ path, name: 'clean' })
  await settled()
  expect(inference.estimates.slice(4)).toEqual(['900 × 700'])

  inference.estimated = 10
  const { id } = await sessions.open({ path, name: 'shown at full size' })
  await expect.poll(() => inference.estimates.length).toBe(7)
  await sessions.preview(preview(id, { view: { x: 300, y: 200, width: 300, height: 200, scale: 1 } }), jobContext(), () => {})
  await sessions.open({ path, name: 'perhaps again' })
  await settled()
  expect(inference.estimates.slice(7)).toEqual(['900 × 700'])
})

test('at full size the visible part comes first, out of the picture itself, and not again once it is there', async () => {
  const { sessions, session, inference } = await open(1500, 1200)
  const view = { x: 600, y: 450, width: 300, height: 200, scale: 1.1 }
  const shown: DenoiseTile[] = []
  const cancelled = jobContext((count, context) => count === 3 && context.cancel())
  await expect(
    sessions.preview(preview(session.id, { view, focus: { x: 750, y: 550 } }), cancelled, (tile) => shown.push(tile)),
  ).rejects.toThrow()
  const [look, tile] = shown
  expect(look).toMatchObject({ x: 600, y: 450, width: 300, height: 200, scale: 1 })
  expect(inference.tiles[0]).toMatchObject({ sigma: 20, source: { width: 1500, height: 1200 } })
  expect(tile!.scale).toBeUndefined()
  const samples = (body: Uint8Array | undefined) => sharp(body!).raw().toBuffer()
  const original = await sharp(await sessions.original(session.id))
    .extract({ left: 600, top: 450, width: 300, height: 200 })
    .raw()
    .toBuffer()
  const halved = await samples(await sessions.lookTile(session.id, look!.revision, 600, 450))
  expect(halved.length).toBe(original.length)
  const mean = (values: Buffer) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(halved)).toBeCloseTo(mean(original) / 2, -0.5)

  const scales: unknown[] = []
  await sessions.preview(preview(session.id, { view }), jobContext(), ({ scale }) => scales.push(scale))
  expect(new Set(scales)).toEqual(new Set([undefined]))
})

test('what is on the screen is not denoised by itself where that spares nothing', async () => {
  const { sessions, session } = await open()
  const scales: unknown[] = []
  const view = { x: 0, y: 0, width: 600, height: 450, scale: 0.8 }
  await sessions.preview(preview(session.id, { view }), jobContext(), ({ scale }) => scales.push(scale))
  expect(new Set(scales)).toEqual(new Set([undefined]))
})

const confidence = (sessionId: string, change: object = {}) =>
  jobSpec.parse({ kind: 'denoise-confidence', sessionId, tier: 'fast', sigma: 20, ...change }) as Extract<
    ReturnType<typeof jobSpec.parse>,
    { kind: 'denoise-confidence' }
  >

test('a confidence map covers the area in whole cells and tells the calibrated error', async () => {
  const { sessions, session, inference } = await open(600, 500)
  inference.curve = {
    model: 'm',
    command: 'c',
    images: 1,
    cells: 1,
    rankCorrelation: 1,
    bySigma: [],
    knots: [
      [0.05, 0.1],
      [0.15, 0.3],
    ],
  }
  const parts: DenoiseConfidence[] = []
  await sessions.confidence(confidence(session.id, { area: { x: 101, y: 13, width: 480, height: 900 } }), jobContext(), (part) =>
    parts.push(part),
  )
  expect(parts).toMatchObject([{ x: 96, y: 8, width: 485, height: 492, calibrated: true, revision: 1 }])
  const picture = await sessions.confidencePart(session.id, 1, 96, 8)
  const { data, info } = await sharp(picture!).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ width: Math.ceil(485 / 8), height: Math.ceil(492 / 8), channels: 1 })
  // A spread of 2 is 0.1 of σ 20, half way between the knots: an error of 0.2 σ.
  expect(new Set(data)).toEqual(new Set([4 * CONFIDENCE_SCALE]))
})

test('without a curve the map is told to be uncalibrated; a newer map replaces the older; cancelled, it stops', async () => {
  const { sessions, session } = await open(500, 400)
  const seen: DenoiseConfidence[] = []
  await sessions.confidence(confidence(session.id), jobContext(), (part) => seen.push(part))
  await sessions.confidence(confidence(session.id), jobContext(), (part) => seen.push(part))
  expect(seen.map(({ calibrated, revision }) => [calibrated, revision])).toEqual([
    [false, 1],
    [false, 2],
  ])
  expect(await sessions.confidencePart(session.id, 1, 0, 0)).toBeUndefined()
  const cancelled = jobContext((_, context) => context.cancel())
  await expect(sessions.confidence(confidence(session.id), cancelled, (part) => seen.push(part))).rejects.toThrow()
  expect(seen).toHaveLength(2)
})

test('the loss of structure is that of the finished preview', async () => {
  const { sessions, session } = await open(300, 200)
  expect(() => sessions.structure(session.id)).toThrow(expect.objectContaining({ code: 'JOB_STATE' }))
  await sessions.preview(preview(session.id), jobContext(), () => {})
  // Halving takes half of all contrast.
  const { loss, limit, worst } = await sessions.structure(session.id)
  expect(loss).toBeGreaterThan(0.2)
  expect(limit).toBeLessThan(loss)
  expect(worst).toMatchObject({ width: 256, height: 200 })
})

test('a preview aimed elsewhere keeps the tiles that are done and does the others', async () => {
  const { sessions, session, inference } = await open(1500, 800)
  const cancelled = jobContext((count, context) => count === 3 && context.cancel())
  await expect(sessions.preview(preview(session.id, { focus: { x: 0, y: 0 } }), cancelled, () => {})).rejects.toThrow()
  expect(inference.tiles).toHaveLength(2)
  const tiles: DenoiseTile[] = []
  await sessions.preview(preview(session.id, { focus: { x: 1500, y: 800 } }), jobContext(), (tile) => tiles.push(tile))
  expect(new Set(inference.tiles.map(({ tile: { core } }) => `${core.x}/${core.y}`)).size).toBe(inference.tiles.length)
  expect(new Set(tiles.map(({ revision }) => revision))).toEqual(new Set([2]))
  expect(tiles.reduce((sum, { width, height }) => sum + width * height, 0)).toBe(1500 * 800)
  // Another σ begins from nothing.
  await sessions.preview(preview(session.id, { sigma: 21 }), jobContext(), () => {})
  expect(inference.tiles).toHaveLength(2 * tiles.length)
})

test('the original can be had reduced', async () => {
  const { sessions, session } = await open(600, 500)
  expect(await sharp(await sessions.original(session.id, 200)).metadata()).toMatchObject({ width: 200, height: 167 })
})
