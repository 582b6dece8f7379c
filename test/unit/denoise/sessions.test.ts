import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { DenoiseTile } from '../../../core/contract/index.ts'
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
  const sessions = new DenoiseSessions(inference)
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
  const { sessions, session, inference } = await open()
  const cancelled = jobContext((count, context) => count === 2 && context.cancel())
  await expect(sessions.preview(preview(session.id), cancelled, () => {})).rejects.toThrow()
  expect(inference.tiles).toHaveLength(1)
  await sessions.preview(preview(session.id), jobContext(), () => {})
  const used = inference.tiles.length
  expect(used).toBeGreaterThan(2)
  let announced = 0
  await sessions.preview(preview(session.id), jobContext(), () => announced++)
  expect(inference.tiles).toHaveLength(used)
  expect(announced).toBe(used - 1)
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
  const sessions = new DenoiseSessions(inference)
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
