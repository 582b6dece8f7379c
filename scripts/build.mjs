// Builds what is stale: `node scripts/build.mjs [renderer|electron]…`. A part is stale when one of its
// sources, or the lock file, was changed after its last build began.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '..')
const BIN = path.join(ROOT, 'node_modules')

/**
 * `covers`: the parts that this build makes as well.
 * @type {Record<string, {sources: string[], output: string, command: string[], covers: string[]}>}
 */
const PARTS = {
  renderer: {
    sources: ['renderer', 'core/contract', 'vite.config.renderer.ts', 'svelte.config.js', 'package-lock.json'],
    output: 'dist/renderer/index.html',
    command: ['vite/bin/vite.js', 'build', '--config', 'vite.config.renderer.ts', '--logLevel', 'warn'],
    covers: ['renderer'],
  },
  electron: {
    sources: [
      'renderer',
      'core',
      'electron',
      'electron.vite.config.ts',
      'vite.config.renderer.ts',
      'svelte.config.js',
      'package-lock.json',
    ],
    output: 'dist/main/main.js',
    command: ['electron-vite/bin/electron-vite.js', 'build', '--logLevel', 'warn'],
    covers: ['electron', 'renderer'],
  },
}

/**
 * Builds a part if it is stale.
 * @param {keyof PARTS} name
 * @returns {boolean} whether it was built; throws when the build fails
 */
export function buildIfStale(name) {
  const part = PARTS[name]
  if (!isStale(name)) return false
  const began = new Date()
  console.error(`Building ${name}…`)
  const [script, ...args] = part.command
  const { status } = spawnSync(process.execPath, [path.join(BIN, script), ...args], {
    cwd: ROOT,
    // What a test runner says of itself must not reach the build: the window is always the real one.
    env: { ...process.env, NODE_ENV: 'production', VITEST: undefined },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`The build of ${name} failed: ${part.command.join(' ')}`)
  for (const covered of part.covers) {
    const stamp = stampOf(covered)
    mkdirSync(path.dirname(stamp), { recursive: true })
    writeFileSync(stamp, '')
    utimesSync(stamp, began, began)
  }
  return true
}

/**
 * Whether a part of the project at `root` has to be built.
 * @param {keyof PARTS} name
 * @param {string} [root]
 */
export function isStale(name, root = ROOT) {
  const { sources, output } = PARTS[name]
  const stamp = stampOf(name, root)
  if (!existsSync(path.join(root, output)) || !existsSync(stamp)) return true
  const built = statSync(stamp).mtimeMs
  return sources.some((source) => newest(path.join(root, source)) > built)
}

/** The stamp's time is when the last good build of a part began. */
function stampOf(name, root = ROOT) {
  return path.join(root, 'dist', `.${name}.built`)
}

/** The newest time of change in a file or a folder (a folder's own time tells of deletions), in milliseconds. */
function newest(place) {
  const info = statSync(place, { throwIfNoEntry: false })
  if (!info) return 0
  if (!info.isDirectory()) return info.mtimeMs
  return Math.max(info.mtimeMs, ...readdirSync(place).map((name) => newest(path.join(place, name))))
}

if (import.meta.main) {
  const names = process.argv.slice(2)
  for (const name of names.length > 0 ? names : ['electron']) {
    if (!Object.hasOwn(PARTS, name)) throw new Error(`There is no part ${name}: ${Object.keys(PARTS).join(', ')}`)
    if (!buildIfStale(name)) console.error(`${name} is up to date`)
  }
}
