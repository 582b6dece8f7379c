/** The grid of a very large library in a real browser, over an engine in memory. `npm run bench:scroll` measures what its frames cost. */
import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LoopbackHost } from '../../../core/hosts/loopback.ts'
import { launchChromium } from '../../../scripts/find-chromium.mjs'
import { createFakeEngine, fakeItem } from '../../support/fakeEngine.ts'
import { startFakeHost } from '../../support/fakeHost.ts'

const COUNT = 50_000
/** Elements of the whole page, whatever is scrolled to: the grid's and all that lies around it. */
const MOST_ELEMENTS = 600

const fake = createFakeEngine({ count: COUNT })
/** Pictures that came in above the others. */
let added = 0
/** Pages are answered when this is done. */
let answered = Promise.resolve()
fake.handlers.library.items = async ({ offset, limit }) => {
  await answered
  const total = COUNT + added
  const at = (index: number) => fakeItem(index < added ? COUNT + added - 1 - index : index - added)
  return { total, items: Array.from({ length: Math.min(limit, total - offset) }, (_, index) => at(offset + index)) }
}

let host: LoopbackHost
let browser: Browser
let page: Page
const failures: string[] = []

beforeAll(async () => {
  host = await startFakeHost(fake)
  browser = await launchChromium()
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })
  page.on('pageerror', (error) => failures.push(error.message))
  await page.goto(host.url)
  await option('IMG_00001.jpg').waitFor()
})

afterAll(async () => {
  await browser?.close()
  await host?.close()
})

const grid = () => page.getByRole('listbox', { name: 'Pictures' })
const option = (name: string) => grid().getByRole('option', { name, exact: true })
const elements = () => page.evaluate(() => document.getElementsByTagName('*').length)
const scrollTo = (share: number) => grid().evaluate((box, to) => (box.scrollTop = (box.scrollHeight - box.clientHeight) * to), share)

const loadedThumbnails = () =>
  grid().evaluate((box) => [...box.querySelectorAll('img')].filter((image) => image.complete && image.naturalWidth > 0).length)

/** The names on the screen by their places in the list, and whether each lies where its place is. */
function shown() {
  return grid().evaluate((box) => {
    const { top, bottom } = box.getBoundingClientRect()
    const cells = [...box.querySelectorAll<HTMLElement>('[role="option"]')].filter((cell) => {
      const own = cell.getBoundingClientRect()
      return own.bottom > top && own.top < bottom
    })
    return cells
      .map((cell) => ({ place: Number(cell.ariaPosInSet), name: cell.ariaLabel, y: cell.getBoundingClientRect().top - top }))
      .sort((a, b) => a.place - b.place)
  })
}

const nameAt = (place: number) => `IMG_${String(place).padStart(5, '0')}.jpg`
/** A screenful of pictures, each the one that its place in the list asks for. */
const allInPlace = (cells: Awaited<ReturnType<typeof shown>>) =>
  cells.length > 20 && cells.every(({ place, name }) => name === nameAt(place))

it('holds a bounded number of elements, and the right pictures wherever it is scrolled', async () => {
  for (const share of [0.001, 0.5, 0.123, 0.97, 0.25]) {
    await scrollTo(share)
    await expect.poll(async () => allInPlace(await shown())).toBe(true)
    const places = (await shown()).map(({ place }) => place)
    expect(places).toEqual(Array.from({ length: places.length }, (_, index) => places[0]! + index))
    expect(await elements()).toBeLessThan(MOST_ELEMENTS)
  }
})

it('shows the last picture after a jump to the end, and keeps the selection', async () => {
  await scrollTo(0)
  await option('IMG_00003.jpg').click()
  await option('IMG_00005.jpg').click({ modifiers: ['Control'] })
  await scrollTo(1)
  await option('IMG_50000.jpg').waitFor()
  expect((await shown()).at(-1)).toMatchObject({ place: COUNT, name: 'IMG_50000.jpg' })
  await scrollTo(0)
  await expect.poll(() => option('IMG_00005.jpg').getAttribute('aria-selected')).toBe('true')
  expect(await option('IMG_00003.jpg').getAttribute('aria-selected')).toBe('true')
  expect(await option('IMG_00004.jpg').getAttribute('aria-selected')).toBe('false')
})

it('goes to the end by keyboard', async () => {
  await option('IMG_00001.jpg').click()
  await page.keyboard.press('End')
  await expect.poll(() => option('IMG_50000.jpg').getAttribute('aria-selected')).toBe('true')
  await page.keyboard.press('Home')
  await expect.poll(() => option('IMG_00001.jpg').getAttribute('aria-selected')).toBe('true')
})

it('shows every picture that it stops at after rushing past', async () => {
  for (let step = 1; step <= 12; step++) {
    await grid().evaluate((box) => (box.scrollTop += 4000))
    await page.waitForTimeout(8)
  }
  await expect.poll(loadedThumbnails).toBeGreaterThan(20)
  expect(allInPlace(await shown())).toBe(true)
})

it('takes a thumbnail that fails late for that of no other picture', async () => {
  const late: Route[] = []
  let holding = true
  await page.route('**/media/thumbnail/**', (route) => (holding ? void late.push(route) : route.continue()))
  await scrollTo(0.6)
  await expect.poll(() => late.length).toBeGreaterThan(20)
  holding = false
  const pages = Promise.withResolvers<void>()
  answered = pages.promise
  await scrollTo(0.3)
  await expect.poll(() => grid().locator('img').count()).toBe(0)
  // Half of them fail before their places show other pictures, half of them after.
  const [before, after] = [late.filter((_, index) => index % 2 === 0), late.filter((_, index) => index % 2 === 1)]
  await Promise.all(before.map((route) => route.abort()))
  pages.resolve()
  await expect.poll(() => grid().locator('img').count()).toBeGreaterThan(20)
  await Promise.all(after.map((route) => route.abort()))
  await page.unroute('**/media/thumbnail/**')
  await expect.poll(loadedThumbnails).toBe(await grid().getByRole('option').count())
})

it('leaves what one looks at where it is while pictures come in above it', async () => {
  await scrollTo(0.5)
  await expect.poll(async () => (await shown())[0]?.name).toMatch(/^IMG_/)
  const before = await shown()
  for (const more of [10, 5, 45]) {
    added += more
    fake.emit('libraryChanged', { revision: added })
    await expect.poll(() => grid().getByRole('option').first().getAttribute('aria-setsize')).toBe(String(COUNT + added))
  }
  // A multiple of the columns came in, so that all stays where it is and only the places change.
  await expect
    .poll(async () => (await shown()).map(({ name, y }) => `${name} ${Math.round(y)}`))
    .toEqual(before.map(({ name, y }) => `${name} ${Math.round(y)}`))
  expect((await shown())[0]!.place).toBe(before[0]!.place + added)
  await scrollTo(0)
  await option(nameAt(COUNT + added)).waitFor()
})

it('raised no error in the page', () => {
  expect(failures).toEqual([])
})
