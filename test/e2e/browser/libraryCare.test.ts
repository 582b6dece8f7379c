/** Looking after a library as a person does: the built window in a real Chromium, the real engine behind the loopback host. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRandom } from '../../../core/random.ts'
import { launchChromium } from '../../../scripts/find-chromium.mjs'
import { openApp, type App } from '../../support/app.ts'
import { encodePhoto, temporaryFolder, writePhotos } from '../../support/pictures.ts'

let root: string
let pictures: string
let browser: Browser
let app: App
let page: Page
const apps: App[] = []

beforeAll(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'Holiday')
  await writePhotos(path.join(pictures, '2024', 'Lisbon'), 4, { width: 640, height: 480, seed: 1 })
  await writePhotos(path.join(pictures, '2024', 'Porto'), 3, { width: 320, height: 240, seed: 2 })
  await writePhotos(path.join(pictures, '2025'), 3, { width: 640, height: 480, seed: 3 })
  await writeFile(path.join(pictures, '2025', 'letter.jpg'), 'Dear reader, this is no picture.')
  browser = await launchChromium()
  app = await open('library')
  ;({ page } = app)
})

afterAll(async () => {
  for (const opened of apps) await opened.close()
  await browser?.close()
})

/** What happens on the disk is heard of only when it is looked for. */
async function open(name: string): Promise<App> {
  const opened = await openApp(browser, path.join(root, name), { watch: false })
  apps.push(opened)
  return opened
}

const grid = () => page.getByRole('listbox', { name: 'Pictures' })
const pictureCount = () => grid().getByRole('option').count()
const folder = (name: RegExp) => page.getByRole('treeitem', { name })
const goTo = (hash: string) => page.evaluate((to) => (location.hash = to), hash)

async function choose(on: Page, place: string, action: string): Promise<void> {
  const dialog = on.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(place)
  await on.keyboard.press('Enter')
  await expect.poll(() => dialog.getByRole('button', { name: action }).isEnabled()).toBe(true)
  await dialog.getByRole('button', { name: path.basename(place), exact: true }).waitFor({ state: 'detached' })
  await dialog.getByRole('button', { name: action }).click()
}

async function chooseFromMenu(item: RegExp, entry: RegExp): Promise<void> {
  await folder(item).click({ button: 'right' })
  await page.getByRole('menuitem', { name: entry }).click()
}

/** Everything that is on the page now, in both themes. */
async function expectAccessible(on = page): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await on.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page: on }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
  }
}

it('shows an added folder as a tree that the keyboard opens, and a folder inside it alone', async () => {
  await page.getByRole('button', { name: 'Add folder…' }).click()
  await choose(page, pictures, 'Add folder')
  await page.getByRole('region', { name: 'Jobs' }).getByText('10 indexed, 1 failed').waitFor()
  await expect.poll(pictureCount).toBe(10)

  await folder(/^Holiday, 11 files, 1 not readable/).focus()
  await page.keyboard.press('ArrowRight')
  await folder(/^2024/).waitFor()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await folder(/^Lisbon/).waitFor()
  // Letters look for a name.
  await page.keyboard.press('p')
  await expect.poll(() => folder(/^Porto/).evaluate((item) => item === document.activeElement)).toBe(true)
  await page.keyboard.press('Enter')
  await expect.poll(pictureCount).toBe(3)
  expect(page.url()).toMatch(/#\/library\/\d+\/2024\/Porto$/)
  expect(await folder(/^Porto/).getAttribute('aria-selected')).toBe('true')
  expect(await folder(/^Porto/).getAttribute('aria-level')).toBe('3')
  await expectAccessible()

  await page.reload()
  await folder(/^Porto, 3 files/).waitFor()
  await expect.poll(pictureCount).toBe(3)
})

it('narrows the grid by size, and a search to what is shown', async () => {
  await folder(/^Holiday/).click()
  await expect.poll(pictureCount).toBe(10)
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByLabel('At least, megapixels').fill('0.2')
  await page.keyboard.press('Tab')
  await expect.poll(pictureCount).toBe(7)
  await expectAccessible()
  await page.keyboard.press('Escape')

  await grid().getByRole('option').first().click()
  await page.keyboard.press('s')
  await page.getByText(/^10 searched in/).waitFor()
  await page.getByRole('combobox', { name: 'Search in' }).selectOption({ label: 'As the library shows: Holiday · At least 0.2 MP' })
  await page.getByText(/^7 searched in/).waitFor()
  await page.getByRole('combobox', { name: 'Search in' }).selectOption({ label: 'All folders' })

  await page.getByRole('link', { name: /^Library/ }).click()
  await page.getByRole('button', { name: 'Remove the filter At least 0.2 MP' }).click()
  await expect.poll(pictureCount).toBe(10)
})

it('lists a file that could not be read with its reason, and reads it again when it was mended', async () => {
  await page.getByRole('link', { name: /^Problems/ }).click()
  const list = page.getByRole('list', { name: 'Files that could not be read' })
  await list.getByText('letter.jpg').waitFor()
  await list.getByText('This is not a picture, whatever its name says.').waitFor()
  await expectAccessible()

  const again = list.getByRole('button', { name: 'Try letter.jpg again' })
  await again.click()
  await page
    .getByRole('region', { name: 'Jobs' })
    .getByText(/1 failed/)
    .first()
    .waitFor()
  await list.getByText('letter.jpg').waitFor()

  await writeFile(path.join(pictures, '2025', 'letter.jpg'), await encodePhoto(createRandom(9), { width: 640, height: 480 }))
  await again.click()
  await page.getByRole('heading', { name: 'No problems' }).waitFor()
  await page.getByRole('link', { name: /^Library/ }).click()
  await expect.poll(pictureCount).toBe(11)
})

it('forgets files that are gone, and takes them back', async () => {
  await rm(path.join(pictures, '2025', 'photo-01.jpg'))
  await chooseFromMenu(/^Holiday/, /^Look for changes/)
  await grid().getByRole('option', { name: 'photo-01.jpg, missing' }).waitFor()
  await folder(/^Holiday/).click({ button: 'right' })
  await expectAccessible()
  await page.keyboard.press('Escape')
  await chooseFromMenu(/^Holiday/, /^Forget its missing file/)
  await expect.poll(pictureCount).toBe(10)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(pictureCount).toBe(11)
  expect((await app.engine.api.library.status()).missing).toBe(1)
})

it('leaves out what patterns name, and brings it back', async () => {
  await chooseFromMenu(/^Holiday/, /^What to leave out/)
  await page.getByRole('textbox', { name: 'Patterns, one a line' }).fill('porto/\n')
  await expectAccessible()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(pictureCount).toBe(8)
  await expect.poll(() => folder(/^Porto/).count()).toBe(0)
  await chooseFromMenu(/^Holiday/, /^What to leave out/)
  await page.getByRole('textbox', { name: 'Patterns, one a line' }).fill('')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(pictureCount).toBe(11)
})

it('takes a folder out, and puts it back from the list of what was removed', async () => {
  await chooseFromMenu(/^Holiday/, /^Take out of the library/)
  await page.getByRole('heading', { name: 'Drop a folder of pictures here' }).waitFor()
  await goTo('#/settings')
  await page.getByText(/“Holiday” taken out/).waitFor()
  await page.getByRole('button', { name: 'Put back' }).click()
  await folder(/^Holiday/).waitFor()
  await page.getByText('What you take out of the library can be put back here').waitFor()
  expect((await app.engine.api.library.status()).images).toBe(11)
})

it('keeps settings of indexing over a reload', async () => {
  const follow = page.getByRole('checkbox', { name: /Follow changes on the disk/ })
  const before = await follow.isChecked()
  await follow.click()
  await page.getByRole('combobox', { name: 'Pictures read at the same time' }).selectOption('2')
  await page.getByRole('combobox', { name: 'Largest picture' }).selectOption('50')
  await expect.poll(async () => (await app.engine.api.library.settings()).maxMegapixels).toBe(50)
  await page.reload()
  await expect.poll(() => follow.isChecked()).toBe(!before)
  expect(await page.getByRole('combobox', { name: 'Pictures read at the same time' }).inputValue()).toBe('2')
  expect(await page.getByRole('combobox', { name: 'Largest picture' }).inputValue()).toBe('50')
  expect(await app.engine.api.library.settings()).toMatchObject({ concurrency: 2, watch: !before, maxMegapixels: 50 })
})

it('verifies the library and says what it found', async () => {
  await rm(path.join(pictures, '2025', 'photo-02.jpg'))
  await page.getByRole('checkbox', { name: /Read every file/ }).check()
  await page.getByRole('button', { name: 'Verify library' }).click()
  await page.getByText('files looked at').waitFor()
  await page.getByText('1 file marked as missing').waitFor()
  expect((await app.engine.api.library.status()).missing).toBe(2)
  await expectAccessible()
})

it('exports the library and imports it into an empty one, whose folder lies elsewhere', async () => {
  const out = path.join(root, 'out')
  await mkdir(out)
  await page.getByRole('button', { name: 'Export library…' }).click()
  await choose(page, out, 'Export here')
  const told = page.getByText(/^Exported 11 pictures/)
  await told.waitFor()
  const file = (await told.locator('.selectable').textContent())!
  expect(path.dirname(file)).toBe(out)

  // Again: the file is there, and is replaced only when that is asked for.
  await page.getByRole('button', { name: 'Export library…' }).click()
  await choose(page, out, 'Export here')
  await page.getByRole('button', { name: 'Replace it' }).click()
  await told.waitFor()

  const { page: second } = await open('empty')
  await second.getByRole('heading', { name: 'Drop a folder of pictures here' }).waitFor()
  await second.evaluate(() => (location.hash = '#/settings'))
  await second.getByRole('button', { name: 'Import library…' }).click()
  const dialog = second.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Path' }).fill(out)
  await second.keyboard.press('Enter')
  await dialog.getByRole('button', { name: path.basename(file) }).click()
  await dialog.getByRole('button', { name: 'Open', exact: true }).click()
  await dialog.getByText(/^11 pictures, /).waitFor()
  await expectAccessible(second)
  await dialog.getByRole('button', { name: 'Import', exact: true }).click()
  await second.getByRole('heading', { name: 'Imported' }).waitFor()
  expect(await dialog.getByText('pictures added').locator('..').textContent()).toMatch(/^11/)
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await second.getByRole('link', { name: /^Library/ }).click()
  await expect.poll(() => second.getByRole('listbox', { name: 'Pictures' }).getByRole('option').count()).toBe(11)
})

it('raised no error in the page', () => {
  expect(apps.flatMap(({ failures }) => failures)).toEqual([])
})
