import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { LucidexError, type ErrorData } from '../contract/index.ts'
import { READABLE_EXTENSIONS } from '../images/index.ts'
import { identity } from './journal.ts'
import { resultsAmong } from './names.ts'

/** A picture, or a folder of them, to be denoised. */
export interface ExportInput {
  path: string
  /** What a person calls it: a temporary file's own name says nothing. */
  name: string
}

/** One picture to denoise, or why it cannot be. */
export interface ExportItem extends ExportInput {
  /** Where it lies below the given folder, with its name; for a single picture its name. */
  relative: string
  error?: ErrorData
}

export interface ExpandOptions {
  recursive: boolean
  /** The folder that the results go to, if it is one: left out where it lies inside a source. */
  target: string | undefined
  /** Results lie beside their sources, named by this pattern: those of an earlier run are left out. */
  besidePattern: string | undefined
}

/**
 * Every picture of the inputs, folders opened, in order of their names, each path once. With several
 * folders each one's own name begins the relative paths.
 */
export async function expandInputs(inputs: readonly ExportInput[], options: ExpandOptions): Promise<ExportItem[]> {
  const target = options.target === undefined ? undefined : await identity(options.target)
  const items = new Map<string, ExportItem>()
  for (const input of inputs) {
    const info = await stat(input.path).catch(() => undefined)
    if (info?.isDirectory()) {
      const prefix = inputs.length > 1 ? input.name : ''
      // Results that go back into their own folder lie beside their sources.
      const mixed = options.besidePattern !== undefined && (options.target === undefined || (await identity(input.path)) === target)
      const walk = { recursive: options.recursive, target, pattern: mixed ? options.besidePattern : undefined }
      for (const item of await picturesOf(input.path, input.path, prefix, walk)) if (!items.has(item.path)) items.set(item.path, item)
    } else if (!items.has(input.path)) {
      // What is not there fails in its turn, when it is read.
      items.set(input.path, { ...input, relative: input.name })
    }
  }
  return [...items.values()]
}

interface Walk {
  recursive: boolean
  /** Identity of the folder that is left out. */
  target: string | undefined
  pattern: string | undefined
}

async function picturesOf(folder: string, root: string, prefix: string, walk: Walk): Promise<ExportItem[]> {
  const items: ExportItem[] = []
  let entries
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (thrown) {
    const error = new LucidexError('FOLDER_NOT_READABLE', `The folder cannot be read: ${(thrown as Error).message}`, { path: folder })
    return [{ path: folder, name: basename(folder), relative: '', error: error.toData() }]
  }
  entries = entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
  const pictures = new Set(entries.filter((entry) => !entry.isDirectory() && READABLE_EXTENSIONS.has(extname(entry.name).toLowerCase())))
  const results =
    walk.pattern === undefined
      ? undefined
      : resultsAmong(
          Array.from(pictures, ({ name }) => name),
          walk.pattern,
        )
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      const left = !walk.recursive || (walk.target !== undefined && (await identity(path)) === walk.target)
      if (!left) items.push(...(await picturesOf(path, root, prefix, walk)))
    } else if (pictures.has(entry) && !results?.has(entry.name)) {
      items.push({ path, name: entry.name, relative: [prefix, ...relative(root, path).split(sep)].filter((part) => part !== '').join(sep) })
    }
  }
  return items
}
