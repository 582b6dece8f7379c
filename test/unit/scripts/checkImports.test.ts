import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkImports, LAYERS } from '../../../scripts/check-imports.mjs'

let root: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lucidex-imports-'))
  write('package.json', JSON.stringify({ dependencies: { sharp: '1', zod: '1' } }))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(file: string, text: string) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}
const found = () => checkImports(root).map(({ file, line, message }) => `${file}:${line} ${message}`)

it('passes a tree that keeps to its layers', () => {
  write('core/contract/index.ts', "import { z } from 'zod'\nexport * from './errors.ts'\nexport { z }\n")
  write('core/engine.ts', "import sharp from 'sharp'\nimport fs from 'node:fs'\nimport type { A } from './contract/index.ts'\n")
  write('cli/main.ts', "import { createEngine } from '../core/engine.ts'\n")
  write('electron/ipc.ts', "import { ipcMain } from 'electron'\nipcMain.handle('x', () => {})\n")
  write('electron/policy/a.ts', "// ipcMain is for ipc.ts alone\nimport path from 'node:path'\n")
  write(
    'renderer/src/App.svelte',
    "<p>import '../../core/engine.ts'</p>\n<script lang=\"ts\">\n  import { z } from '$contract'\n</script>\n",
  )
  expect(found()).toEqual([])
})

it.each([
  ['core/contract/a.ts', "import fs from 'node:fs'", "contract may not import Node's node:fs"],
  ['core/contract/a.ts', "import '../engine.ts'", 'contract may not import core'],
  ['core/contract/a.ts', "import sharp from 'sharp'", 'contract may not import the package sharp'],
  ['core/a.ts', "import { app } from 'electron'", 'only electron may import electron'],
  ['core/a.ts', "import '../renderer/src/a.ts'", 'core may not import renderer'],
  ['core/a.ts', "import '../cli/a.ts'", 'core may not import cli'],
  ['core/a.ts', "import '../test/a.ts'", 'core may not import test/a.ts'],
  ['core/a.ts', "import vitest from 'vitest'", 'core may not import the package vitest'],
  ['core/a.ts', "export { x } from 'electron/main'", 'only electron may import electron'],
  ['core/a.ts', "const x = await import('electron')", 'only electron may import electron'],
  ['core/a.ts', "const x = require('electron')", 'only electron may import electron'],
  ['core/a.ts', "import type { App } from 'electron'", 'only electron may import electron'],
  ['cli/a.ts', "import '../electron/main.ts'", 'cli may not import electron'],
  ['cli/a.ts', "import '../electron/policy/origin.ts'", 'cli may not import policy'],
  ['electron/policy/a.ts', "import { app } from 'electron'", 'only electron may import electron'],
  ['electron/policy/a.ts', "import '../window.ts'", 'policy may not import electron'],
  ['electron/a.ts', "import '../renderer/src/a.ts'", 'electron may not import renderer'],
  ['renderer/src/a.ts', "import '../../core/engine.ts'", 'renderer may not import core'],
  ['renderer/src/a.ts', "import path from 'path'", "renderer may not import Node's path"],
  ['renderer/src/a.ts', "import '../../electron/channels.ts'", 'renderer may not import electron'],
  ['electron/window.ts', "import { ipcMain as bus } from 'electron'", 'only electron/ipc.ts may use ipcMain'],
])('finds %s: %s', (file, line, message) => {
  write(file, `// a line before\n${line}\n`)
  const violations = found()
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(`${file}:2 ${message}`)
})

it("counts a Svelte file's lines from its top", () => {
  write('renderer/src/App.svelte', '<h1>Hi</h1>\n<script lang="ts">\n  import "../../core/engine.ts"\n</script>\n')
  expect(found()).toEqual(['renderer/src/App.svelte:3 renderer may not import core (../../core/engine.ts)'])
})

it('allows no two layers to import each other', () => {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    LAYERS[from]!.layers.some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))))
  for (const name of Object.keys(LAYERS)) expect(reaches(name, name), name).toBe(false)
})
