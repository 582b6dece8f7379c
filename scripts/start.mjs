// `npm start [-- --library <dir>]`: builds what is stale and opens the app: in Electron where its binary
// is there or can be fetched, otherwise, saying why in one line, in a browser.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { buildIfStale } from './build.mjs'

const ROOT = path.resolve(import.meta.dirname, '..')
const ELECTRON = path.join(ROOT, 'node_modules', 'electron')
/** How long the host of the binaries may take to answer, and then the download: milliseconds. */
const ANSWER_MS = 5_000
const DOWNLOAD_MS = 300_000

const args = process.argv.slice(2)
const electron = await electronOrReason()
if (electron.binary) {
  buildIfStale('electron')
  await run(electron.binary, [ROOT, ...args])
} else {
  console.error(`${electron.reason}: opening Lucidex in a browser instead.`)
  buildIfStale('renderer')
  await run(process.execPath, [path.join(ROOT, 'cli', 'lucidex.mjs'), 'serve', '--open', ...args])
}

/** @returns {Promise<{binary: string, reason?: undefined} | {binary?: undefined, reason: string}>} */
async function electronOrReason() {
  if (process.platform === 'linux') {
    if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return { reason: 'There is no display for Electron' }
    if (process.getuid?.() === 0) return { reason: "Electron's sandbox refuses to run as root" }
  }
  const installed = installedBinary()
  if (installed) return { binary: installed }
  if (!(await canFetch())) return { reason: "Electron's binary is not installed and cannot be fetched from here" }
  console.error('Fetching the Electron binary…')
  spawnSync(process.execPath, [path.join(ELECTRON, 'install.js')], { stdio: ['ignore', 'inherit', 'inherit'], timeout: DOWNLOAD_MS })
  const fetched = installedBinary()
  return fetched ? { binary: fetched } : { reason: "Electron's binary could not be fetched" }
}

/** Where Electron's own install script puts the binary and the name of it. */
function installedBinary() {
  const name = path.join(ELECTRON, 'path.txt')
  if (!existsSync(name)) return null
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(ELECTRON, 'dist')
  const binary = path.join(folder, readFileSync(name, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

/** Whether the host that Electron is fetched from answers at all: a refusal is learnt in seconds, not in minutes. */
async function canFetch() {
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror ?? 'https://github.com/electron/electron/releases/'
  try {
    await fetch(mirror, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) })
    return true
  } catch {
    return false
  }
}

/** Runs until the program ends; its exit code becomes ours. */
async function run(program, programArgs) {
  const child = spawn(program, programArgs, { stdio: 'inherit' })
  // Ctrl-C reaches both of us through the terminal, and the program decides how it ends.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.exitCode = await new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${program} did not start: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(signal ? 0 : (code ?? 1)))
  })
}
