// Builds hnswlib-node, the one native dependency that ships no prebuilt binary.
//
// Its own install script is denied in package.json (allowScripts) because node-gyp would fetch
// Node's headers from the network. The npm package `node`, which pins our runtime, ships the same
// headers: we build against those, so `npm ci` needs the npm registry and a C++ compiler, no more.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const target = path.join(root, 'node_modules', 'hnswlib-node')
const addon = path.join(target, 'build', 'Release', 'addon.node')

/** Whether the built addon loads and answers in the pinned Node. */
function works() {
  if (!existsSync(addon)) return false
  const probe = `new (require(${JSON.stringify(target)}).HierarchicalNSW)('ip', 4).initIndex(1)`
  const node = path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return spawnSync(existsSync(node) ? node : process.execPath, ['-e', probe]).status === 0
}

/** The folder whose include/node holds Node's headers, from the npm package `node`. */
function headers() {
  const places = [path.join(root, 'node_modules', 'node', 'node_modules'), path.join(root, 'node_modules')]
  for (const place of places) {
    if (!existsSync(place)) continue
    for (const name of readdirSync(place)) {
      if (!/^node-(bin-)?(linux|darwin|win)-/.test(name)) continue
      if (existsSync(path.join(place, name, 'include', 'node', 'node_api.h'))) return path.join(place, name)
    }
  }
  return undefined
}

if (!existsSync(target)) process.exit(0) // a partial install (--omit): nothing to build
if (works()) process.exit(0)

const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
const nodedir = headers()
if (!nodedir) console.warn('install-native: no headers in the npm package `node`; node-gyp will look for its own')
const built = spawnSync(process.execPath, [nodeGyp, 'rebuild', '--loglevel=warn', ...(nodedir ? [`--nodedir=${nodedir}`] : [])], {
  cwd: target,
  stdio: ['ignore', 'ignore', 'inherit'],
})
if (built.status !== 0 || !works()) {
  console.error('install-native: hnswlib-node could not be built. It needs Python 3, make and a C++ compiler.')
  process.exit(1)
}
