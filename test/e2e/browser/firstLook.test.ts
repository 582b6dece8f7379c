/** What the first look covers of the denoise view, in a real browser over an engine in memory. */
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DenoiseSession } from '../../../core/contract/index.ts'
import type { LoopbackHost } from '../../../core/hosts/loopback.ts'
import { launchChromium } from '../../../scripts/find-chromium.mjs'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import { startFakeHost } from '../../support/fakeHost.ts'

const SIZE = { width: 2400, height: 1600 }
/** What is served of each kind: one colour. */
const COLOURS = { original: '#0000ff', tile: '#00ff00', look: '#ff0000' } as const
type Kind = keyof typeof COLOURS

const fake = createFakeEngine({ count: 3 })
let session: DenoiseSession
const open = fake.handlers.denoise.open
fake.handlers.denoise.open = async (request) => (session = { ...(await open(request)), ...SIZE, clean: false })

let host: LoopbackHost
let browser: Browser
let page: Page

beforeAll(async () => {
  host = await startFakeHost(fake)
  browser = await launchChromium()
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })
  for (const kind of Object.keys(COLOURS) as Kind[]) {
    const body = await sharp({ create: { width: 8, height: 8, channels: 3, background: COLOURS[kind] } })
      .png()
      .toBuffer()
    await page.route(`**/media/${kind}/**`, (route) => route.fulfill({ contentType: 'image/png', body }))
  }
  await page.goto(`${host.url}#/denoise/1`)
  await page.locator('.stage').waitFor()
  await page.keyboard.press('v')
})

afterAll(async () => {
  await browser?.close()
  await host?.close()
})

/** The share of the stage that shows each kind. */
async function shares(): Promise<Record<Kind, number>> {
  const { data, info } = await sharp(await page.locator('.stage').screenshot())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const found = { original: 0, tile: 0, look: 0 }
  for (let at = 0; at < data.length; at += 3) {
    const [red, green, blue] = [data[at]! > 128, data[at + 1]! > 128, data[at + 2]! > 128]
    if (blue && !red && !green) found.original++
    else if (green && !red && !blue) found.tile++
    else if (red && !green && !blue) found.look++
  }
  const pixels = info.width * info.height
  return { original: found.original / pixels, tile: found.tile / pixels, look: found.look / pixels }
}

const half = { x: 0, y: 0, width: SIZE.width / 2, height: SIZE.height }
const send = (kind: 'tile' | 'look', revision: number, place: typeof half) =>
  fake.emit('denoiseTile', {
    sessionId: session.id,
    revision,
    ...place,
    url: `/media/${kind}/${session.id}/${revision}/${place.x}/${place.y}`,
    ...(kind === 'look' && { scale: 2 }),
  })

it('lies over the original, under tiles that are done before it comes, and gives way to those that come after', async () => {
  // While a preview runs, a change of the view begins it anew.
  const preview = () => fake.jobs.find(({ kind, state }) => kind === 'denoise-preview' && state === 'running')
  await expect.poll(preview).toBeDefined()
  fake.update(preview()!.id, { state: 'done', finishedAt: 1 })
  await expect.poll(async () => (await shares()).original).toBeGreaterThan(0.3)
  const whole = (await shares()).original / 2
  send('tile', 1, half)
  await expect.poll(async () => (await shares()).tile).toBeCloseTo(whole / 2, 2)
  send('look', 1, { ...half, width: SIZE.width })
  await expect.poll(async () => (await shares()).look).toBeCloseTo(whole / 2, 2)
  expect((await shares()).tile).toBeCloseTo(whole / 2, 2)
  send('tile', 1, { ...half, x: half.width })
  await expect.poll(async () => (await shares()).look).toBe(0)
  expect((await shares()).tile).toBeCloseTo(whole, 2)
})
