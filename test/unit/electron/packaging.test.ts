import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const require = createRequire(import.meta.url)
const builder = createRequire(require.resolve('electron-builder/package.json'))
const { load } = builder('js-yaml') as { load(text: string): Configuration }

interface PlatformOptions {
  files?: string[]
  icon: string
}
interface Configuration {
  files: string[]
  electronFuses: Record<string, boolean>
  linux: PlatformOptions
  mac: PlatformOptions
  win: PlatformOptions
}

const config = load(readFileSync(path.join(ROOT, 'electron-builder.yml'), 'utf8'))
const lib = path.dirname(builder.resolve('app-builder-lib/package.json'))
const { FileMatcher } = require(path.join(lib, 'out', 'fileMatcher.js')) as {
  FileMatcher: new (from: string, to: string, expand: (text: string) => string, patterns: string[]) => { createFilter(): FileFilter }
}
type FileFilter = (file: string, stat: { isDirectory(): boolean; moduleFullFilePath: string }) => boolean

/** Which of `files` electron-builder takes from a package in node_modules: it applies the exclusions alone, from the package down. */
function packed(platform: 'linux' | 'darwin' | 'win32', arch: string, files: string[]): string[] {
  const exclusions = config.files.filter((pattern) => pattern.startsWith('!'))
  const expand = (text: string) => text.replaceAll('${arch}', arch).replaceAll('${platform}', platform)
  const filter = new FileMatcher(ROOT, '/out', expand, ['**/*', ...exclusions]).createFilter()
  const takes = (file: string, isFolder: boolean) =>
    filter(path.join(ROOT, file), { isDirectory: () => isFolder, moduleFullFilePath: file })
  return files.filter((file) => {
    const steps = file.split('/')
    const packageDepth = steps[1]?.startsWith('@') ? 3 : 2
    // A folder that is refused is not walked.
    const folders = steps.slice(packageDepth, -1).map((_, i) => steps.slice(0, packageDepth + i + 1).join('/'))
    return folders.every((folder) => takes(folder, true)) && takes(file, false)
  })
}

const ORT = 'node_modules/onnxruntime-node/bin/napi-v6'
const LIBRARIES = [
  `${ORT}/linux/x64/libonnxruntime.so.1`,
  `${ORT}/linux/arm64/libonnxruntime.so.1`,
  `${ORT}/darwin/arm64/libonnxruntime.1.dylib`,
  `${ORT}/win32/x64/onnxruntime.dll`,
  `${ORT}/win32/arm64/onnxruntime.dll`,
  'node_modules/better-sqlite3/prebuilds/linux-x64.node',
  'node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node',
  'node_modules/better-sqlite3/prebuilds/darwin-arm64.node',
  'node_modules/better-sqlite3/prebuilds/win32-x64.node',
]

describe('electron-builder.yml', () => {
  it("is valid by electron-builder's own schema", () => {
    const { validateSchema } = require(path.join(lib, 'out', 'util', 'config', 'schemaValidator.js')) as {
      validateSchema(schema: unknown, data: unknown): void
    }
    const schema: unknown = JSON.parse(readFileSync(path.join(lib, 'scheme.json'), 'utf8'))
    expect(() => validateSchema(schema, structuredClone(config))).not.toThrow()
    expect(() => validateSchema(schema, { ...structuredClone(config), notAnOption: true })).toThrow(/notAnOption/)
  })

  it('blows every fuse that would let others run code as the app', () => {
    expect(config.electronFuses).toMatchObject({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      enableCookieEncryption: true,
      grantFileProtocolExtraPrivileges: false,
    })
  })

  it.each([
    ['linux', 'x64', [`${ORT}/linux/x64/libonnxruntime.so.1`, 'node_modules/better-sqlite3/prebuilds/linux-x64.node']],
    ['linux', 'arm64', [`${ORT}/linux/arm64/libonnxruntime.so.1`]],
    ['darwin', 'arm64', [`${ORT}/darwin/arm64/libonnxruntime.1.dylib`, 'node_modules/better-sqlite3/prebuilds/darwin-arm64.node']],
    ['win32', 'x64', [`${ORT}/win32/x64/onnxruntime.dll`, 'node_modules/better-sqlite3/prebuilds/win32-x64.node']],
  ] as const)("takes only the target's libraries: %s %s", (platform, arch, kept) => {
    expect(packed(platform, arch, LIBRARIES)).toEqual(kept)
  })

  it('takes what addons need at run time and leaves their sources', () => {
    const runtime = [
      'node_modules/better-sqlite3/lib/index.js',
      'node_modules/hnswlib-node/build/Release/addon.node',
      'node_modules/hnswlib-node/lib/index.js',
      'node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64-0.35.5.node',
      'node_modules/onnxruntime-node/dist/index.js',
      'node_modules/zod/index.js',
    ]
    const sources = [
      'node_modules/better-sqlite3/deps/sqlite3/sqlite3.c',
      'node_modules/better-sqlite3/src/better_sqlite3.cpp',
      'node_modules/hnswlib-node/src/addon.cc',
      'node_modules/virtua/lib/index.js',
    ]
    expect(packed('linux', 'x64', [...runtime, ...sources])).toEqual(runtime)
  })

  it('packs no sources: a platform with a list of its own would bring the whole project', () => {
    for (const platform of [config.linux, config.mac, config.win]) expect(platform.files).toBeUndefined()
    expect(config.files.filter((pattern) => !pattern.startsWith('!'))).toEqual([
      'dist/main/**/*',
      'dist/preload/**/*',
      'dist/renderer/**/*',
      'LICENSE',
    ])
  })

  it('names files that exist', () => {
    for (const { icon } of [config.linux, config.mac, config.win]) expect(existsSync(path.join(ROOT, icon)), icon).toBe(true)
  })
})
