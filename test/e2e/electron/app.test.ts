/** The desktop app itself, where Electron's binary is installed; elsewhere this file says that it is skipped. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildIfStale } from '../../../scripts/build.mjs'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const ENGINE_SERVICE = 'Lucidex engine'

const missing = whatIsMissing()
if (missing) console.warn(`SKIPPED: the desktop app was not tested end to end, for want of ${missing}`)

function electronBinary(): string | null {
  const folder = path.join(ROOT, 'node_modules', 'electron')
  const name = path.join(folder, 'path.txt')
  if (!existsSync(name)) return null
  const binary = path.join(folder, 'dist', readFileSync(name, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

function whatIsMissing(): string | null {
  if (!electronBinary()) return "Electron's binary (`npx install-electron`)"
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'a display (`xvfb-run npm test`)'
  return null
}

describe.skipIf(missing)('the desktop app', () => {
  let app: ElectronApplication
  let page: Page
  let pictures: string

  beforeAll(async () => {
    buildIfStale('electron')
    const root = await temporaryFolder()
    pictures = path.join(root, 'pictures')
    await writePhotos(pictures, 3)
    app = await _electron.launch({
      executablePath: electronBinary()!,
      // Chromium's sandbox refuses root, which containers run as.
      args: [
        ROOT,
        `--user-data-dir=${path.join(root, 'profile')}`,
        `--library=${path.join(root, 'library')}`,
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ],
    })
    page = await app.firstWindow()
    await page.locator('#app > *').first().waitFor()
  })
  afterAll(() => app?.close())

  /** Asks for one more engine port as a page does: resolves with how many came. */
  const portsGiven = () =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          addEventListener('message', (event) => event.data === 'lucidex:engine-port' && resolve(event.ports.length), { once: false })
          postMessage('lucidex:renderer-ready', location.origin)
        }),
    )
  const enginePid = () =>
    app.evaluate(
      ({ app: main }, service) => main.getAppMetrics().find(({ name, serviceName }) => name === service || serviceName === service)?.pid,
      ENGINE_SERVICE,
    )

  it('runs its page in a sandbox, from its own origin, with nothing but the desktop bridge', async () => {
    const seen = await page.evaluate(() => ({
      origin: location.origin,
      node: typeof (globalThis as { require?: unknown }).require,
      bridge: Object.keys((globalThis as unknown as { lucidexDesktop: object }).lucidexDesktop).toSorted(),
    }))
    expect(seen).toEqual({
      origin: 'lucidex://app',
      node: 'undefined',
      bridge: ['chooseFolder', 'chooseFolders', 'chooseLibrary', 'choosePicture', 'chooseSave', 'onMenu', 'pathOf', 'revealInFolder'],
    })
  })

  it('gives the page a port of the engine, again after a reload', async () => {
    expect(await portsGiven()).toBe(1)
    await page.reload()
    await page.locator('#app > *').first().waitFor()
    expect(await portsGiven()).toBe(1)
  })

  it("serves media from the page's own origin and nothing from outside its folder", async () => {
    const statuses = await page.evaluate(async () =>
      Promise.all(['/index.html', '/media/thumbnail/999/none', '/..%2f..%2fpackage.json'].map(async (url) => (await fetch(url)).status)),
    )
    expect(statuses).toEqual([200, 404, 404])
  })

  it('opens no window and goes nowhere', async () => {
    const before = app.windows().length
    expect(await page.evaluate(() => window.open('https://example.com') === null)).toBe(true)
    await page.evaluate(() => {
      location.href = 'https://example.com/'
    })
    await page.waitForTimeout(300)
    expect(page.url()).toMatch(/^lucidex:\/\/app\//)
    expect(app.windows()).toHaveLength(before)
  })

  it('indexes a folder chosen in the dialog', async () => {
    await app.evaluate(({ dialog }, folder) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [folder] })
    }, pictures)
    await app.evaluate(({ Menu }) => {
      const items = Menu.getApplicationMenu()!.items.flatMap((item) => item.submenu?.items ?? [])
      items.find(({ label }) => label.startsWith('Add Folder'))!.click()
    })
    await expect.poll(() => page.locator('img[src*="/media/thumbnail/"]').count(), { timeout: 60_000 }).toBe(3)
  })

  it('starts a crashed engine again and connects the page to it', async () => {
    await app.evaluate(({ dialog }) => {
      dialog.showMessageBox = async () => ({ response: 0, checkboxChecked: false })
    })
    const before = await enginePid()
    process.kill(before!, 'SIGKILL')
    await expect.poll(enginePid, { timeout: 20_000 }).not.toBe(before)
    await expect.poll(enginePid, { timeout: 20_000 }).toBeTypeOf('number')
    expect(await portsGiven()).toBe(1)
  })
})
