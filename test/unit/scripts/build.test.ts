import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isStale } from '../../../scripts/build.mjs'

let root: string
/** Writes a file (or only dates a folder) as of so many seconds after 2020. */
function at(seconds: number, file: string, isFolder = false) {
  const place = path.join(root, file)
  mkdirSync(isFolder ? place : path.dirname(place), { recursive: true })
  if (!isFolder) writeFileSync(place, '')
  const time = 1_577_836_800 + seconds
  utimesSync(place, time, time)
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lucidex-build-'))
  for (const file of ['renderer/src/App.svelte', 'core/contract/index.ts', 'core/engine.ts', 'electron/main.ts', 'vite.config.renderer.ts'])
    at(0, file)
  for (const folder of ['renderer/src', 'renderer', 'core/contract', 'core', 'electron']) at(0, folder, true)
  for (const file of ['dist/renderer/index.html', 'dist/main/main.js', 'dist/.renderer.built', 'dist/.electron.built']) at(10, file)
})
afterEach(() => rmSync(root, { recursive: true }))

const stale = () => [isStale('renderer', root), isStale('electron', root)]

it('leaves alone what is newer than all of its sources', () => {
  expect(stale()).toEqual([false, false])
})

it('builds what never was, or lost its output', () => {
  rmSync(path.join(root, 'dist/.renderer.built'))
  rmSync(path.join(root, 'dist/main/main.js'))
  expect(stale()).toEqual([true, true])
})

it('builds the parts that a changed source belongs to, and only those', () => {
  at(20, 'core/engine.ts')
  expect(stale()).toEqual([false, true])
  at(20, 'renderer/src/App.svelte')
  expect(stale()).toEqual([true, true])
})

it('notices a source that was changed while the last build ran, and one that was deleted', () => {
  at(10.5, 'core/contract/index.ts')
  expect(stale()).toEqual([true, true])
  at(0, 'core/contract/index.ts')
  expect(stale()).toEqual([false, false])
  rmSync(path.join(root, 'electron/main.ts'))
  expect(stale()).toEqual([false, true])
})
