/**
 * `npm run bench:scroll`: scrolls through a library of 50,000 pictures in a headless Chromium while its
 * main thread is traced, and prints what a frame costs: as one reads, as fast as pictures are still shown
 * (Grid.svelte), through the whole grid, and through it again as a scroll bar is dragged.
 * The library is a fake engine's behind the loopback host; the window is the built one.
 *
 *   --count N      pictures (50,000)
 *   --seconds N    of the pass through the whole grid (30)
 *   --json         one JSON document
 */
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { buildIfStale } from '../../scripts/build.mjs'
import { launchChromium } from '../../scripts/find-chromium.mjs'
import { createFakeEngine } from '../support/fakeEngine.ts'
import { startFakeHost } from '../support/fakeHost.ts'
import { frameTimes, type FrameTimes, type TraceEvent } from './frames.ts'

/** The limits: script and layout of a frame at p95, and any task, milliseconds. */
const FRAME_MS = 8
const TASK_MS = 50
const READING_PX_PER_S = 2500
const FLUNG_PX_PER_S = 4000
const PART_S = 10
const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.frame']

interface Pass {
  name: string
  wall: FrameTimes
  thread: FrameTimes
  pixels: number
  seconds: number
  /** The most elements that the page held. */
  elements: number
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
})
const passes = await bench(Number(values.count), Number(values.seconds))
if (values.json) console.log(JSON.stringify({ count: Number(values.count), passes }))
else print(Number(values.count), passes)
if (passes.some(({ wall }) => wall.p95 > FRAME_MS || wall.longestTask > TASK_MS)) process.exitCode = 1

async function bench(count: number, seconds: number): Promise<Pass[]> {
  buildIfStale('renderer')
  const host = await startFakeHost(createFakeEngine({ count }))
  const browser = await launchChromium()
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(host.url)
    await page.getByRole('listbox', { name: 'Pictures' }).getByRole('option').first().waitFor()
    await page.waitForTimeout(1000)
    const whole = await page.getByRole('listbox', { name: 'Pictures' }).evaluate((box) => box.scrollHeight - box.clientHeight)
    return [
      await traced(browser, page, 'as one reads', Math.min(whole, READING_PX_PER_S * PART_S), PART_S),
      await traced(browser, page, 'flung', Math.min(whole, FLUNG_PX_PER_S * PART_S), PART_S),
      await traced(browser, page, 'the whole grid', whole, seconds),
      await traced(browser, page, 'the whole grid, dragged', whole, PART_S),
    ]
  } finally {
    await browser.close()
    await host.close()
  }
}

/** Scrolls from the top as a wheel does, through the compositor. */
async function traced(browser: Browser, page: Page, name: string, pixels: number, seconds: number): Promise<Pass> {
  const session = await page.context().newCDPSession(page)
  const box = page.getByRole('listbox', { name: 'Pictures' })
  await box.evaluate((element) => (element.scrollTop = 0))
  await page.waitForTimeout(500)
  await browser.startTracing(page, { categories: CATEGORIES })
  const elements = watchElements(page)
  await session.send('Input.synthesizeScrollGesture', {
    x: 500,
    y: 400,
    yDistance: -pixels,
    speed: Math.round(pixels / seconds),
    preventFling: true,
    gestureSourceType: 'mouse',
  })
  const most = await elements()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  await session.detach()
  return { name, pixels, seconds, elements: most, wall: frameTimes(traceEvents, 'wall'), thread: frameTimes(traceEvents, 'thread') }
}

/** Counts the page's elements four times a second; the answer stops it and is the largest count. */
function watchElements(page: Page): () => Promise<number> {
  let most = 0
  const counting = setInterval(() => {
    void page.evaluate(() => document.getElementsByTagName('*').length).then((count) => (most = Math.max(most, count)))
  }, 250)
  return async () => {
    clearInterval(counting)
    return Math.max(most, await page.evaluate(() => document.getElementsByTagName('*').length))
  }
}

function print(count: number, passes: Pass[]): void {
  console.log(
    `${count.toLocaleString('en')} pictures; script and layout of a frame in ms: at most ${FRAME_MS} at p95, no task over ${TASK_MS}`,
  )
  console.log('| scrolled | px/s | frames | clock | p50 | p95 | max | longest task | elements at most |')
  console.log('|---|---|---|---|---|---|---|---|---|')
  for (const pass of passes) {
    const speed = Math.round(pass.pixels / pass.seconds).toLocaleString('en')
    for (const clock of ['wall', 'thread'] as const) {
      const times = pass[clock]
      const ms = [times.p50, times.p95, times.max, times.longestTask].map((value) => value.toFixed(1)).join(' | ')
      console.log(`| ${pass.name} | ${speed} | ${times.frames} | ${clock} | ${ms} | ${pass.elements} |`)
    }
  }
}
