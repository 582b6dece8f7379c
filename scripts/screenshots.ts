/**
 * `npm run screenshots`: every view, dark and light, at 1280 × 800, into docs/screenshots/<view>-<theme>.png.
 * Serves a library of the demo's pictures (with noisy, edited and broken ones beside them) and drives a
 * Chromium through it. Everything but the pictures that it writes lies in .cache/screenshots.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { applySteps, readPixels, type Step } from '../cli/bench/attacks.ts'
import { processIo as io } from '../cli/io.ts'
import { RENDERER_DIR, ROOT } from '../cli/paths.ts'
import { followJob, withEngine } from '../cli/session.ts'
import type { Job } from '../core/contract/index.ts'
import type { Engine } from '../core/engine.ts'
import { startLoopback } from '../core/hosts/loopback.ts'
import { createRandom } from '../core/random.ts'
import { buildIfStale } from './build.mjs'
import { drawPictures } from './demo/pictures.ts'
import { launchChromium } from './find-chromium.mjs'

const PICTURES = path.join(ROOT, 'demo', 'pictures')
const WORK = path.join(ROOT, '.cache', 'screenshots')
const OUTPUT = path.join(ROOT, 'docs', 'screenshots')
const THEMES = ['dark', 'light'] as const
type Theme = (typeof THEMES)[number]

/** Pictures made from the demo's: [from, to, what is done to it]. */
const DERIVED: [string, string, Step[]][] = [
  ['Night/city-05.jpg', 'High ISO/city-night.png', [{ noise: { sigma: 28 } }]],
  ['Studio/still-life-04.jpg', 'High ISO/jars.png', [{ noise: { sigma: 22 } }]],
  ['Landscapes/mountains-02.jpg', 'High ISO/lake.png', [{ noise: { sigma: 35 } }]],
  ['Studio/portrait-02.jpg', 'High ISO/portrait.png', [{ noise: { sigma: 18 } }]],
  ['Nature/forest-02.jpg', 'High ISO/wood.png', [{ noise: { sigma: 30 } }]],
  ['Landscapes/balloons-03.jpg', 'Edits/balloons-crop.jpg', [{ crop: { area: 0.5 } }]],
  ['Landscapes/balloons-03.jpg', 'Edits/balloons-grey.jpg', [{ grey: {} }, { resize: { scale: 0.5 } }]],
  ['Landscapes/balloons-03.jpg', 'Edits/balloons-post.jpg', [{ text: { lines: 1, height: 0.12 } }, { jpeg: { quality: 40 } }]],
  ['Studio/still-life-06.jpg', 'Edits/table-warm.jpg', [{ channels: { r: 1.15, g: 1, b: 0.85 } }]],
]
/** Searched by; not in the library. */
const DAMAGE: Step[] = [
  { crop: { area: 0.7 } },
  { rotate: { degrees: 8, fill: '#101418' } },
  { noise: { sigma: 20 } },
  { jpeg: { quality: 35 } },
]

await screenshots()

async function screenshots(): Promise<void> {
  buildIfStale('renderer')
  const browser = await launchChromium()
  try {
    await rm(WORK, { recursive: true, force: true })
    await mkdir(OUTPUT, { recursive: true })
    const folders = await preparePictures()
    await withEngine({ io, libraryDir: path.join(WORK, 'library'), host: 'browser' }, async (engine) => {
      await index(engine, folders)
      for (const theme of THEMES) await inWindow(browser, engine, theme, (page) => shootViews(page, engine, theme))
    })
    await withEngine({ io, libraryDir: path.join(WORK, 'empty'), host: 'browser' }, async (engine) => {
      for (const theme of THEMES) {
        await inWindow(browser, engine, theme, async (page) => {
          await page.getByRole('heading', { name: /drop a folder/i }).waitFor()
          await shoot(page, 'first-start', theme)
        })
      }
    })
  } finally {
    await browser.close()
  }
}

/** Paints and derives what the library shows; answers with its folders. */
async function preparePictures(): Promise<string[]> {
  await drawPictures(PICTURES, { onPicture: (done, total) => io.progress(`Painting ${done} of ${total} pictures`) })
  io.progress('')
  for (const [index, [from, to, steps]] of DERIVED.entries()) await derive(from, path.join(WORK, to), steps, index)
  await derive('Landscapes/balloons-03.jpg', path.join(WORK, 'damaged.jpg'), DAMAGE, 7)

  const scans = path.join(WORK, 'Scans')
  await mkdir(scans, { recursive: true })
  const whole = await sharp(path.join(PICTURES, 'Documents', 'page-01.jpg'))
    .jpeg()
    .toBuffer()
  await writeFile(path.join(scans, 'contract-01.jpg'), whole)
  await writeFile(path.join(scans, 'contract-02.jpg'), whole.subarray(0, Math.round(whole.length / 3)))
  await writeFile(path.join(scans, 'invoice.jpg'), 'Dear Sir or Madam, please find enclosed …')
  await writeFile(path.join(scans, 'receipt.png'), '')
  return [PICTURES, ...['Edits', 'High ISO', 'Scans'].map((name) => path.join(WORK, name))]
}

async function derive(from: string, target: string, steps: Step[], seed: number): Promise<void> {
  const { data, width, height } = await applySteps(await readPixels(path.join(PICTURES, from)), steps, createRandom(seed))
  await mkdir(path.dirname(target), { recursive: true })
  await sharp(data, { raw: { width, height, channels: 3 } })
    .toFormat(path.extname(target) === '.png' ? 'png' : 'jpeg', { quality: 95 })
    .toFile(target)
}

async function index(engine: Engine, folders: string[]): Promise<void> {
  for (const folder of folders) {
    const { jobId } = await engine.api.library.addFolder({ path: folder })
    if (jobId !== null) await followJob(engine, jobId, io)
  }
  await engine.api.jobs.dismiss({})
}

/** Opens the app in a window of its own: each needs an address with a fresh token. */
async function inWindow(browser: Browser, engine: Engine, theme: Theme, work: (page: Page) => Promise<void>): Promise<void> {
  const host = await startLoopback(engine, { rendererDir: RENDERER_DIR })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: theme, reducedMotion: 'reduce' })
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => io.note(`page: ${error.message}`))
    await page.goto(host.url)
    await work(page)
  } finally {
    await context.close()
    await host.close()
  }
}

async function shootViews(page: Page, engine: Engine, theme: Theme): Promise<void> {
  await goTo(page, '#/library')
  const grid = page.getByRole('listbox', { name: 'Pictures' })
  await grid.getByRole('option').first().waitFor()
  await page.getByRole('treeitem', { name: /^pictures/ }).focus()
  await page.keyboard.press('ArrowRight')
  await page.getByRole('treeitem', { name: /^Landscapes/ }).waitFor()
  await grid.focus()
  // By date all kinds are mixed, below those that have none.
  await page.getByRole('combobox', { name: 'Sort by' }).selectOption('taken')
  await grid.getByRole('option').first().waitFor()
  await grid.evaluate((box) => box.scrollBy(0, 1500))
  await shoot(page, 'library', theme)

  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('combobox', { name: 'Camera' }).selectOption({ index: 1 })
  await page.getByRole('group', { name: 'Filters in use' }).waitFor()
  await shoot(page, 'filter', theme)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Clear', exact: true }).click()

  const balloons = await itemNamed(engine, 'balloons-03')
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('balloons')
  await page.getByRole('option', { name: 'balloons-03.jpg' }).click()
  await page.getByRole('complementary', { name: 'Inspector' }).getByRole('button', { name: /: / }).nth(2).waitFor()
  await shoot(page, 'inspector', theme)
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('')

  await goTo(page, '#/search')
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Choose a picture…' }).click()
  await (await chooser).setFiles(path.join(WORK, 'damaged.jpg'))
  await page.getByText(/searched in/).waitFor()
  await shoot(page, 'search', theme)

  await goTo(page, `#/search/${balloons}`)
  await page.getByText('balloons-03.jpg').first().waitFor()
  const box = await page.getByRole('slider', { name: /search by/ }).boundingBox()
  if (!box) throw new Error('The picture searched by is not shown')
  await page.mouse.move(box.x + box.width * 0.02, box.y + box.height * 0.03)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.66, box.y + box.height * 0.85, { steps: 4 })
  await page.mouse.up()
  await page.getByRole('button', { name: 'Search by the whole picture' }).waitFor()
  await shoot(page, 'region', theme)

  await shootDenoise(page, engine, theme)
  await shootBatch(page, engine, theme)

  await goTo(page, '#/problems')
  await page.getByText('contract-02.jpg').waitFor()
  await shoot(page, 'problems', theme)

  await goTo(page, '#/settings')
  await page.getByRole('heading').first().waitFor()
  await shoot(page, 'settings', theme)
  await page.getByRole('button', { name: 'Verify library' }).click()
  await page.getByText('files looked at').waitFor()
  await page.getByRole('heading', { name: 'Storage' }).evaluate((heading) => heading.scrollIntoView())
  await shoot(page, 'care', theme)

  await goTo(page, '#/library')
  await page.getByRole('button', { name: 'Add folder' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(PICTURES)
  await page.keyboard.press('Enter')
  await dialog.getByText('Landscapes').waitFor()
  await shoot(page, 'picker', theme)
  await page.keyboard.press('Escape')
}

/** The ways of looking at a denoised picture. */
async function shootDenoise(page: Page, engine: Engine, theme: Theme): Promise<void> {
  await goTo(page, `#/denoise/${await itemNamed(engine, 'lake.png')}`)
  await page.getByRole('button', { name: 'Fit' }).waitFor()
  await jobDone(engine, 'denoise-preview')
  await shoot(page, 'denoise', theme)

  await page.keyboard.press('1')
  await page.keyboard.press('v')
  await shoot(page, 'compare', theme)
  await page.keyboard.press('0')
  await page.keyboard.press('v')

  await page.keyboard.press('r')
  await shoot(page, 'residual', theme)

  await page.keyboard.press('c')
  await jobDone(engine, 'denoise-confidence')
  await shoot(page, 'confidence', theme)
  await page.keyboard.press('c')
}

/** A queue under way, the tray that tells of it elsewhere, and the report. */
async function shootBatch(page: Page, engine: Engine, theme: Theme): Promise<void> {
  const results = path.join(WORK, `denoised-${theme}`)
  await mkdir(results, { recursive: true })
  await goTo(page, '#/batch')
  for (const folder of ['High ISO', 'Scans']) {
    await page.getByRole('button', { name: 'Add folder…' }).first().click()
    await pickFolder(page, path.join(WORK, folder), 'Add folder')
  }
  const options = page.getByRole('complementary', { name: 'Options of the batch' })
  await options.getByRole('radio', { name: 'In a folder' }).check({ force: true })
  await pickFolder(page, results, 'Use this folder')
  await options.getByRole('radio', { name: 'Noisy only' }).check({ force: true })
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.getByRole('row', { name: /^Done/ }).nth(1).waitFor({ timeout: 120_000 })
  await shoot(page, 'batch', theme)

  await goTo(page, '#/library')
  await page
    .getByRole('region', { name: 'Jobs' })
    .getByText(/^[1-9] of/)
    .waitFor({ timeout: 60_000 })
  await shoot(page, 'jobs', theme)

  await goTo(page, '#/batch')
  await page.getByRole('button', { name: 'Save report…' }).waitFor({ timeout: 240_000 })
  await shoot(page, 'report', theme)
  await page.getByRole('button', { name: 'New batch' }).click()
  await engine.api.jobs.dismiss({})
}

async function pickFolder(page: Page, folder: string, action: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(folder)
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: path.basename(folder), exact: true }).waitFor({ state: 'detached' })
  await dialog.getByText(/directly in here/).waitFor()
  await dialog.getByRole('button', { name: action }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** Waits until the last job of a kind is done. */
async function jobDone(engine: Engine, kind: Job['kind']): Promise<void> {
  const until = Date.now() + 240_000
  while ((await engine.api.jobs.list()).findLast((job) => job.kind === kind)?.state !== 'done') {
    if (Date.now() > until) throw new Error(`No ${kind} was done in four minutes`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to
  }, hash)
}

async function itemNamed(engine: Engine, text: string): Promise<number> {
  const { items } = await engine.api.library.items({ text })
  if (!items[0]) throw new Error(`${text} is not in the library`)
  return items[0].id
}

/** Waits until all pictures on the page are there, and nothing moves. */
async function shoot(page: Page, name: string, theme: Theme): Promise<void> {
  await page.waitForFunction(() => [...document.images].every((image) => image.complete))
  await page.waitForTimeout(400)
  await page.screenshot({ path: path.join(OUTPUT, `${name}-${theme}.png`) })
  io.note(`docs/screenshots/${name}-${theme}.png`)
}
