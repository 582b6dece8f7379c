/** The app as a person meets it: the built window in a real Chromium, the real engine behind the loopback host. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Engine } from '../../../core/engine.ts'
import { launchChromium } from '../../../scripts/find-chromium.mjs'
import { openApp, type App } from '../../support/app.ts'
import { giveFile } from '../../support/browser.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const PHOTOS = 24

let root: string
let pictures: string
let damaged: string
let browser: Browser
let app: App
let engine: Engine
let page: Page

beforeAll(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'Holiday')
  await writePhotos(pictures, PHOTOS, { width: 640, height: 480 })
  await writeFile(path.join(pictures, 'letter.jpg'), 'Dear reader, this is no picture.')
  damaged = path.join(root, 'damaged.jpg')
  await sharp(path.join(pictures, 'photo-07.jpg')).rotate(6, { background: '#000' }).resize(320).jpeg({ quality: 20 }).toFile(damaged)

  browser = await launchChromium()
  app = await openApp(browser, path.join(root, 'library'))
  ;({ engine, page } = app)
})

afterAll(async () => {
  await app?.close()
  await browser?.close()
})

const grid = () => page.getByRole('listbox', { name: 'Pictures' })
const inspector = () => page.getByRole('complementary', { name: 'Inspector' })

it('starts empty and says what to do', async () => {
  await page.getByRole('heading', { name: 'Drop a folder of pictures here' }).waitFor()
  // The one-time token leaves the address bar with the redirect.
  expect(page.url()).not.toContain('token')
})

it('indexes a folder chosen in the picker, and tells what could not be read', async () => {
  await page.getByRole('button', { name: 'Add folder…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(pictures)
  await page.keyboard.press('Enter')
  await dialog.getByText(`${PHOTOS + 1} pictures directly in here`).waitFor()
  await dialog.getByRole('button', { name: 'Add folder' }).click()
  await page.getByRole('region', { name: 'Jobs' }).getByText(`${PHOTOS} indexed, 1 failed`).waitFor()
  await expect.poll(() => grid().getByRole('option').count()).toBeGreaterThan(10)
  await page.getByRole('link', { name: /Problems/ }).click()
  await page.getByText('letter.jpg').first().waitFor()
})

it('moves through the grid by keyboard and shows what a picture is', async () => {
  await page.getByRole('link', { name: /Library/ }).click()
  await page.getByRole('combobox', { name: 'Sort by' }).selectOption('name')
  const order = page.getByRole('button', { name: 'Descending' })
  if (await order.isVisible()) await order.click()
  await grid()
    .getByRole('option', { name: /photo-00/ })
    .click()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await inspector().getByText('photo-02.jpg').first().waitFor()
  await inspector().getByText('640 × 480').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('photo-11')
  await expect.poll(() => grid().getByRole('option').count()).toBe(1)
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('')
})

it.each(['drop', 'paste'] as const)('finds the original of a damaged copy by %s', async (how) => {
  await page.getByRole('link', { name: /Library/ }).click()
  await giveFile(page, how, damaged)
  await page.getByText(/searched in/).waitFor()
  const first = page.getByRole('listbox', { name: 'Results' }).getByRole('option').first()
  await first.getByText('photo-07.jpg').waitFor()
  expect(await first.textContent()).toContain('photo-07.jpg')
})

it('opens the folder picker for a dropped folder, because a browser gives no path', async () => {
  await page.evaluate(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([], 'Holiday'))
    // A browser tells a folder by its entry; DataTransfer made by script has none, so it is lent one.
    const entry = { isDirectory: true, isFile: false, name: 'Holiday' }
    Object.defineProperty(DataTransferItem.prototype, 'webkitGetAsEntry', { value: () => entry, configurable: true })
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
  })
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).waitFor()
  expect(await dialog.textContent()).toMatch(/browser/i)
  await page.keyboard.press('Escape')
})

it('denoises a picture in view, changes strength without inference, and downloads the result', async () => {
  await page.getByRole('link', { name: /Library/ }).click()
  await grid()
    .getByRole('option', { name: /photo-05/ })
    .click()
  await page.keyboard.press('d')
  const settings = page.getByRole('complementary', { name: 'Settings of this picture' })
  await settings.waitFor()
  // A level by hand, so that there is something to remove whatever the estimate says.
  await settings.getByRole('radio', { name: 'Manual' }).check({ force: true })
  await settings.getByRole('slider', { name: /noise level/i }).fill('30')
  await expect
    .poll(async () => (await engine.api.jobs.list()).findLast((job) => job.kind === 'denoise-preview')?.state, { timeout: 60_000 })
    .toBe('done')

  const before = (await engine.api.jobs.list()).filter((job) => job.kind === 'denoise-preview').length
  await settings.getByRole('slider', { name: 'Strength' }).fill('40')
  await page.waitForTimeout(500)
  expect((await engine.api.jobs.list()).filter((job) => job.kind === 'denoise-preview').length).toBe(before)

  await settings.getByRole('combobox', { name: 'Format' }).selectOption('png')
  await settings.getByRole('combobox', { name: 'Where' }).selectOption('download')
  const arriving = page.waitForEvent('download')
  await settings.getByRole('button', { name: 'Export' }).click()
  const download = await arriving
  expect(download.suggestedFilename()).toMatch(/photo-05.*\.png$/)
  const [original, result] = await Promise.all([pixels(path.join(pictures, 'photo-05.jpg')), pixels(await download.path())])
  expect(result.length).toBe(original.length)
  expect(result.equals(original)).toBe(false)
})

it('never touched the originals', async () => {
  const again = path.join(root, 'again')
  await writePhotos(again, PHOTOS, { width: 640, height: 480 })
  for (const name of ['photo-05.jpg', 'photo-07.jpg']) {
    expect(await readFile(path.join(pictures, name))).toEqual(await readFile(path.join(again, name)))
  }
  expect((await stat(path.join(pictures, 'letter.jpg'))).size).toBe(32)
})

it.each(['#/library', '#/search', '#/denoise', '#/problems', '#/settings'])(
  'has no accessibility violation in %s, dark and light',
  async (hash) => {
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.evaluate((to) => (location.hash = to), hash)
      await page.waitForTimeout(300)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    }
  },
)

it('raised no error in the page', () => {
  expect(app.failures).toEqual([])
})

function pixels(file: string): Promise<Buffer> {
  return sharp(file).raw().toBuffer()
}
