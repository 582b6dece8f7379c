import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import envPaths from 'env-paths'
import type { Io } from './io.ts'

/** The project's root (or the installed package's): the nearest folder above with a package.json. */
export const ROOT = findRoot(import.meta.dirname)
/** LUCIDEX_MODELS names another folder with a manifest.json, to measure models before they are shipped. */
export const MODELS_DIR = path.resolve(process.env['LUCIDEX_MODELS'] ?? path.join(ROOT, 'resources', 'models'))
export const ATTACKS_FILE = path.join(ROOT, 'resources', 'attacks.json')
export const RENDERER_DIR = path.join(ROOT, 'dist', 'renderer')
export const VERSION: string = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).version

function findRoot(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder
  const parent = path.dirname(folder)
  if (parent === folder) throw new Error(`No package.json above ${import.meta.dirname}`)
  return findRoot(parent)
}

/** The library's folder: `--library`, LUCIDEX_LIBRARY, or the platform's place for data. */
export function libraryDir(option: string | undefined, io: Pick<Io, 'env'>): string {
  return path.resolve(option ?? io.env['LUCIDEX_LIBRARY'] ?? path.join(envPaths('Lucidex', { suffix: '' }).data, 'library'))
}
