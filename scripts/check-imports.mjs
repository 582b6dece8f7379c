// The rules of who may import whom, checked on every file: `node scripts/check-imports.mjs`.
// The compiler keeps wrong globals out of a layer (a tsconfig each); this keeps wrong modules out.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import ts from 'typescript'

/**
 * @typedef {object} Layer
 * @property {string} dir where its files lie; a file belongs to the layer with the longest match
 * @property {string[]} layers the other layers that it may import
 * @property {string[] | 'runtime' | 'any'} packages by name; 'runtime' is all of package.json's dependencies
 * @property {boolean} node whether Node's own modules may be imported
 */

/** @type {Record<string, Layer>} */
export const LAYERS = {
  contract: { dir: 'core/contract', layers: [], packages: ['zod', 'birpc'], node: false },
  core: { dir: 'core', layers: ['contract'], packages: 'runtime', node: true },
  cli: { dir: 'cli', layers: ['core', 'contract'], packages: 'runtime', node: true },
  policy: { dir: 'electron/policy', layers: ['core', 'contract'], packages: [], node: true },
  electron: { dir: 'electron', layers: ['policy', 'core', 'contract'], packages: ['electron', 'env-paths'], node: true },
  renderer: { dir: 'renderer', layers: ['contract'], packages: 'any', node: false },
}

/** Packages that only one layer may import, whatever its list says. */
const OWNED = { electron: 'electron' }
/** The bundlers' names for folders (vite.config.renderer.ts). */
const ALIASES = { $contract: 'core/contract/index.ts' }
/** The one file that may touch ipcMain: it checks the sender. */
const IPC_WRAPPER = 'electron/ipc.ts'
const SOURCE = /\.(ts|mts|js|mjs|cjs|svelte)$/

/**
 * Every breach of the rules below `root`.
 * @param {string} root
 * @returns {{file: string, line: number, message: string}[]}
 */
export function checkImports(root) {
  const manifest = path.join(root, 'package.json')
  const runtime = existsSync(manifest) ? Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {}) : []
  const violations = []
  for (const file of sources(root)) {
    const text = scriptOf(file, readFileSync(path.join(root, file), 'utf8'))
    const report = (position, message) => violations.push({ file, line: text.slice(0, position).split('\n').length, message })
    for (const { fileName, pos } of ts.preProcessFile(text, true, true).importedFiles) {
      const problem = judge(file, fileName, runtime)
      if (problem) report(pos, problem)
    }
    if (file !== IPC_WRAPPER) {
      for (const { index } of withoutComments(text).matchAll(/\bipcMain\b/g))
        report(index, `only ${IPC_WRAPPER} may use ipcMain: it checks the sender`)
    }
  }
  return violations
}

/** @returns {string | null} what is wrong with `file` importing `specifier` */
function judge(file, specifier, runtime) {
  const name = layerOf(file)
  const layer = LAYERS[name]
  const target = localTarget(file, specifier)
  if (target !== null) {
    const other = layerOf(target)
    if (other === name || layer.layers.includes(other)) return null
    return `${name} may not import ${other ?? target} (${specifier})`
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    return layer.node ? null : `${name} may not import Node's ${specifier}`
  }
  const packageName = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const owner = OWNED[packageName]
  if (owner !== undefined && owner !== name) return `only ${owner} may import ${packageName}`
  const allowed = layer.packages === 'runtime' ? runtime : layer.packages
  if (allowed === 'any' || allowed.includes(packageName)) return null
  return `${name} may not import the package ${packageName}`
}

/** The file that a specifier names below the root, or null for a package. */
function localTarget(file, specifier) {
  for (const [alias, target] of Object.entries(ALIASES)) {
    if (specifier === alias || specifier.startsWith(`${alias}/`)) return target
  }
  if (!specifier.startsWith('.')) return null
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
}

function layerOf(file) {
  const inside = Object.keys(LAYERS).filter((name) => file.startsWith(`${LAYERS[name].dir}/`))
  return inside.sort((a, b) => LAYERS[b].dir.length - LAYERS[a].dir.length)[0]
}

/** Every source file of a layer, as posix paths relative to `root`. */
function sources(root) {
  const tops = new Set(Object.values(LAYERS).map(({ dir }) => dir.split('/')[0]))
  return [...tops]
    .filter((top) => existsSync(path.join(root, top)))
    .flatMap((top) =>
      readdirSync(path.join(root, top), { recursive: true }).map((name) => path.posix.join(top, name.split(path.sep).join('/'))),
    )
    .filter((file) => SOURCE.test(file) && !file.includes('/node_modules/'))
    .sort()
}

/** A Svelte file's markup blanked out, so that lines keep their numbers. */
function scriptOf(file, text) {
  if (!file.endsWith('.svelte')) return text
  let at = 0
  let scripts = ''
  for (const match of text.matchAll(/(<script[^>]*>)([\s\S]*?)<\/script>/g)) {
    const start = match.index + match[1].length
    scripts += blank(text.slice(at, start)) + match[2]
    at = start + match[2].length
  }
  return scripts + blank(text.slice(at))
}

function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, blank)
}

function blank(text) {
  return text.replace(/[^\n]/g, ' ')
}

if (import.meta.main) {
  const violations = checkImports(path.resolve(import.meta.dirname, '..'))
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`)
  if (violations.length > 0) process.exitCode = 1
  else console.log('Imports keep to their layers')
}
