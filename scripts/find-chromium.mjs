// Finds a Chromium for the browser tests and the screenshots, and installs one where that can be done
// unasked: `node scripts/find-chromium.mjs` prints its path.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']
const PLACES = {
  darwin: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'],
  win32: [
    String.raw`C:\Program Files\Google\Chrome\Application\chrome.exe`,
    String.raw`C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`,
    String.raw`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`,
  ],
}

/**
 * The path of a Chromium on this machine, or null: LUCIDEX_CHROMIUM, the PATH, the platform's usual
 * places, then Playwright's own download.
 * @returns {Promise<string | null>}
 */
export async function findChromium() {
  const named = process.env.LUCIDEX_CHROMIUM
  if (named) return existsSync(named) ? named : null
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)
  const candidates = [
    ...folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name + suffix))),
    ...(PLACES[process.platform] ?? []),
  ]
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found) return found
  const { chromium } = await import('playwright-core')
  const own = chromium.executablePath()
  return own && existsSync(own) ? own : null
}

/** No window, and no network of its own: Chromium's background requests fail loudly where there is none. */
const HEADLESS_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/**
 * Starts a headless Chromium, installing one first where there is none.
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchChromium() {
  const { chromium } = await import('playwright-core')
  return chromium.launch({ executablePath: await ensureChromium(), args: HEADLESS_ARGS })
}

/**
 * A Chromium, installed when there is none: by apt-get for root on Debian and its kin, else by
 * Playwright. Says in one line which it is, on standard error.
 * @returns {Promise<string>}
 */
export async function ensureChromium() {
  const found = await findChromium()
  if (found) {
    console.error(`Chromium: ${found}`)
    return found
  }
  const way = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') ? installByApt() : installByPlaywright()
  const installed = await findChromium()
  if (!installed) throw new Error(`No Chromium was found, and ${way} did not install one. Install one, or name it in LUCIDEX_CHROMIUM.`)
  console.error(`Chromium: ${installed} (installed by ${way})`)
  return installed
}

function installByApt() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const install = () => run('install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core')
  if (!install()) {
    run('update')
    install()
  }
  return 'apt-get'
}

function installByPlaywright() {
  const cli = path.resolve(import.meta.dirname, '..', 'node_modules', 'playwright-core', 'cli.js')
  spawnSync(process.execPath, [cli, 'install', 'chromium'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return 'Playwright'
}

if (import.meta.main) console.log(await ensureChromium())
