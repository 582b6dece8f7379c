/** Denoising as a person does it: looking closely, changing one's mind, exporting, and letting a queue run. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { lumaOf } from '../../../core/contract/index.ts'
import type { Engine } from '../../../core/engine.ts'
import { createRandom } from '../../../core/random.ts'
import { launchChromium } from '../../../scripts/find-chromium.mjs'
import { openApp, type App } from '../../support/app.ts'
import { makePhoto, temporaryFolder } from '../../support/pictures.ts'

const SCANS = 8

let root: string
let scans: string
let results: string
let browser: Browser
let app: App
let engine: Engine
let page: Page

/** Writes a picture with Gaussian noise on it. */
async function writeNoisy(file: string, seed: number, { width = 320, height = 240 } = {}): Promise<void> {
  const random = createRandom(seed)
  const pixels = await makePhoto(random, { width, height })
  for (let index = 0; index < pixels.length; index++) pixels[index] = Math.max(0, Math.min(255, pixels[index]! + 25 * random.normal()))
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file)
}

beforeAll(async () => {
  root = await temporaryFolder()
  scans = path.join(root, 'Scans')
  results = path.join(root, 'Results')
  await mkdir(path.join(scans, '1974'), { recursive: true })
  await mkdir(results)
  await writeNoisy(path.join(root, 'noisy.png'), 7, { width: 480, height: 320 })
  for (let index = 0; index < SCANS; index++) {
    await writeNoisy(path.join(scans, index % 2 === 0 ? '' : '1974', `scan-${index}.png`), 20 + index)
  }
  await writeFile(path.join(scans, 'letter.jpg'), 'Dear reader, this is no picture.')

  browser = await launchChromium()
  app = await openApp(browser, path.join(root, 'library'))
  ;({ engine, page } = app)
})

afterAll(async () => {
  await app?.close()
  await browser?.close()
})

const settings = () => page.getByRole('complementary', { name: 'Settings of this picture' })
const jobsOf = async (kind: string) => (await engine.api.jobs.list()).filter((job) => job.kind === kind)
const goTo = (hash: string) => page.evaluate((to) => void (location.hash = to), hash)

/** Answers the picker, which is open. */
async function pick(folder: string, action: string, file?: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(folder)
  await page.keyboard.press('Enter')
  if (file) await dialog.getByRole('button', { name: file }).click()
  else await dialog.getByRole('listitem').or(dialog.getByText('No folders in here')).first().waitFor()
  await dialog.getByRole('button', { name: action }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** The samples of 32 × 32 pixels of the screen in the middle of the viewer, once it is drawn. */
async function middle(): Promise<number[]> {
  await page.waitForTimeout(150)
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.picture canvas')!
    const { data } = canvas.getContext('2d')!.getImageData((canvas.width >> 1) - 16, (canvas.height >> 1) - 16, 32, 32)
    return [...data].filter((_, index) => index % 4 !== 3)
  })
}

async function axe(): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.waitForTimeout(100)
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
  }
}

let original: number[]
let denoised: number[]

it('opens a picture, tells its noise, and denoises it', async () => {
  await goTo('#/denoise')
  await page.getByRole('button', { name: 'Open a picture…' }).click()
  await pick(root, 'Open in Denoise', 'noisy.png')
  await settings().getByText(/^σ \d/).waitFor()
  // The preview by Best begins at once, and may be done before Fast is asked for.
  const newestPreview = async () =>
    (await jobsOf('denoise-preview')).reduce((newest, job) => (job.id > newest.id ? job : newest), { id: 0, state: '' })
  await expect.poll(async () => (await newestPreview()).id).toBeGreaterThan(0)
  const { id } = await newestPreview()
  await settings().getByRole('radio', { name: 'Fast' }).check({ force: true })
  await expect.poll(async () => (await newestPreview()).id).toBeGreaterThan(id)
  await expect.poll(async () => (await newestPreview()).state, { timeout: 60_000 }).toBe('done')

  // At 100 % one pixel of the picture is one of the screen, wherever the divider is.
  await page.keyboard.press('1')
  const divider = page.getByRole('slider', { name: 'Divider between original and result' })
  await divider.press('End')
  original = await middle()
  await divider.press('Home')
  denoised = await middle()
  const { data } = await sharp(path.join(root, 'noisy.png'))
    .extract({ left: 224, top: 144, width: 32, height: 32 })
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect(difference(original, [...data])).toBeLessThan(3)
  expect(difference(original, denoised)).toBeGreaterThan(8)
})

it('shows the original while Space is held', async () => {
  await page.locator('body').press('Tab')
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await page.keyboard.down(' ')
  expect(difference(await middle(), original)).toBe(0)
  await page.keyboard.up(' ')
  expect(difference(await middle(), denoised)).toBe(0)
})

it('shows what was removed about mid-grey, amplified, and the difference on black', async () => {
  await page.keyboard.press('r')
  const removed = await middle()
  const gain = Number((await page.getByText(/^× \d+$/).textContent())!.slice(2))
  expect(gain).toBeLessThan(8)
  expect(
    difference(
      removed,
      original.map((sample, index) => clamp(128 + gain * (sample - denoised[index]!))),
    ),
  ).toBe(0)
  await page.keyboard.press('.')
  await page.getByText(`× ${2 * gain}`).waitFor()
  expect(
    difference(
      await middle(),
      original.map((sample, index) => clamp(128 + 2 * gain * (sample - denoised[index]!))),
    ),
  ).toBe(0)
  await page.keyboard.press('f')
  expect(
    difference(
      await middle(),
      original.map((sample, index) => clamp(2 * gain * Math.abs(sample - denoised[index]!))),
    ),
  ).toBe(0)
  await page.keyboard.press('f')
})

it('shows both side by side, and closer through the loupe', async () => {
  await page.keyboard.press('v')
  await page.getByRole('img', { name: 'The original and the result, side by side' }).waitFor()
  await page.keyboard.press('l')
  await page.mouse.move(500, 400)
  await page.locator('.loupe').getByText(/%$/).waitFor()
  await page.keyboard.press('l')
  expect(await page.locator('.loupe').count()).toBe(0)
  await page.keyboard.press('v')
})

it('zooms and pans by keyboard and wheel, up to 1600 %', async () => {
  const percent = page.getByRole('button', { name: 'Zoom to 100 percent' })
  for (let step = 0; step < 16; step++) await page.keyboard.press('+')
  await expect.poll(() => percent.textContent()).toBe('1600 %')
  const before = await middle()
  await page.keyboard.press('ArrowRight')
  expect(difference(await middle(), before)).toBeGreaterThan(0)
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 400)
  await expect.poll(() => percent.textContent()).not.toBe('1600 %')
  await page.keyboard.press('0')
  await page.keyboard.press('1')
})

it('changes strength and texture at once, without inference, and takes them back', async () => {
  const before = (await jobsOf('denoise-preview')).length
  const strength = settings().getByRole('slider', { name: 'Strength' })
  const texture = settings().getByRole('slider', { name: 'Texture recovery' })
  await strength.fill('0')
  expect(difference(await middle(), original)).toBe(0)
  await strength.fill('100')
  await texture.fill('100')
  const textured = await middle()
  // The luma of the original with the colours of the result, but where a channel is cut off.
  expect(lumaError(textured, original)).toBeLessThan(2)
  expect(lumaError(denoised, original)).toBeGreaterThan(5)
  await page.keyboard.press('Control+z')
  expect(difference(await middle(), denoised)).toBe(0)
  await page.keyboard.press('Control+y')
  expect(difference(await middle(), textured)).toBe(0)
  await page.keyboard.press('Control+z')
  expect((await jobsOf('denoise-preview')).length).toBe(before)
})

it('shows where the result is uncertain', async () => {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await page.keyboard.press('c')
  await expect.poll(async () => (await jobsOf('denoise-confidence')).at(-1)?.state, { timeout: 60_000 }).toBe('done')
  const shown = await middle()
  const coloured = shown.filter((sample, index) => index % 3 === 0 && sample - shown[index + 2]! > 2).length
  expect(coloured).toBeGreaterThan(0)
  await axe()
  await page.keyboard.press('c')
})

it('lists its keys, and shows what has the focus', async () => {
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('What was removed').waitFor()
  await axe()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)
  expect(outline).toBe('solid')
  // Motion is reduced: nothing takes time.
  const slowest = await page.evaluate(() =>
    Math.max(...[...document.querySelectorAll('button')].map((button) => Number.parseFloat(getComputedStyle(button).transitionDuration))),
  )
  expect(slowest).toBeLessThan(0.001)
})

it('writes nothing until the export, and then what was seen', async () => {
  expect((await readdir(root)).toSorted()).toEqual(['Results', 'Scans', 'library', 'noisy.png'])
  await settings().getByRole('button', { name: 'Export' }).click()
  await page.getByText(/noisy\.png exported in/).waitFor()
  const written = path.join(root, 'noisy_denoised.png')
  const { data } = await sharp(written).extract({ left: 224, top: 144, width: 32, height: 32 }).raw().toBuffer({ resolveWithObject: true })
  expect(difference(denoised, [...data])).toBeLessThan(2)
})

const progress = () => page.getByRole('region', { name: 'Progress' })
const options = () => page.getByRole('complementary', { name: 'Options of the batch' })
const written = async () => (await readdir(results, { recursive: true })).filter((name) => name.endsWith('.png')).toSorted()

it('queues a folder, pauses, goes on, and stops with whole files only', async () => {
  await goTo('#/batch')
  await axe()
  await page.getByRole('button', { name: 'Add folder…' }).last().click()
  await pick(scans, 'Add folder')
  await options().getByRole('radio', { name: 'In a folder' }).check({ force: true })
  await pick(results, 'Use this folder')
  const pattern = options().getByRole('textbox', { name: 'Name pattern' })
  await pattern.fill('{nam}')
  await options().getByText('{nam} is not known.').waitFor()
  await pattern.fill('{name}-{tier}')
  await options().getByText('IMG_0042-best.jpg').waitFor()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await progress().getByRole('button', { name: 'Pause' }).click()
  await progress().getByRole('heading', { name: 'Paused' }).waitFor()
  // What was being written is finished; then nothing more comes.
  await page.waitForTimeout(1500)
  const paused = await written()
  await page.waitForTimeout(800)
  expect(await written()).toEqual(paused)
  expect(paused.length).toBeLessThan(SCANS)
  await progress().getByRole('button', { name: 'Resume' }).click()
  await progress().getByRole('button', { name: 'Stop' }).click()
  await progress().getByRole('heading', { name: 'Stopped' }).waitFor()
  for (const name of await written()) await sharp(path.join(results, name)).stats()
})

it('does the rest, names what failed, and tries that again', async () => {
  const before = await written()
  await page.getByRole('button', { name: 'New batch' }).click()
  await page.getByRole('button', { name: 'Add folder…' }).last().click()
  await pick(scans, 'Add folder')
  await options().getByRole('combobox', { name: 'When the name is taken' }).selectOption('skip')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await progress().getByRole('heading', { name: '1 picture failed' }).waitFor({ timeout: 120_000 })
  expect((await written()).length).toBe(SCANS)
  expect((await written()).filter((name) => name.startsWith('1974')).length).toBe(SCANS / 2)
  const row = page.getByRole('row', { name: /letter\.jpg/ })
  await row.getByText('This is not a picture, whatever its name says.').waitFor()
  expect(await page.getByText('Skipped: its result is there already').count()).toBe(before.length)
  await axe()

  const saving = page.waitForEvent('download')
  await progress().getByRole('button', { name: 'Save report…' }).click()
  expect((await saving).suggestedFilename()).toMatch(/^denoise-report-.*\.txt$/)

  await writeNoisy(path.join(scans, 'scan.png'), 99)
  await sharp(path.join(scans, 'scan.png')).jpeg().toFile(path.join(scans, 'letter.jpg'))
  await progress().getByRole('button', { name: 'Try the failed again' }).click()
  await progress().getByRole('heading', { name: 'Done' }).waitFor({ timeout: 60_000 })
  await page
    .getByRole('row', { name: /letter\.jpg/ })
    .getByText('letter-best.jpg')
    .waitFor()
})

it('measures the models on a picture of one’s own', async () => {
  await goTo('#/settings')
  await page.getByRole('button', { name: 'Own picture…' }).click()
  await pick(root, 'Use this picture', 'noisy_denoised.png')
  await page.getByRole('button', { name: 'Measure' }).click()
  const table = page.getByRole('table', { name: 'Measured speed and quality' })
  await table.getByRole('row', { name: /^Best/ }).first().waitFor({ timeout: 120_000 })
  expect(await table.getByText(/\d dB$/).count()).toBeGreaterThanOrEqual(3)
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save as JSON…' }).click()
  expect((await saving).suggestedFilename()).toMatch(/^lucidex-measurement-.*\.json$/)
  await axe()
})

it('raised no error in the page', () => {
  expect(app.failures).toEqual([])
})

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value))
}

/** Mean absolute difference. */
function difference(a: number[], b: number[]): number {
  return a.reduce((sum, sample, index) => sum + Math.abs(sample - b[index]!), 0) / a.length
}

function lumaError(a: number[], b: number[]): number {
  let sum = 0
  for (let at = 0; at < a.length; at += 3) sum += Math.abs(lumaOf(a[at]! - b[at]!, a[at + 1]! - b[at + 1]!, a[at + 2]! - b[at + 2]!))
  return sum / (a.length / 3)
}
