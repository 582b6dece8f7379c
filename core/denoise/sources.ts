import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { LucidexError, type ErrorData } from '../contract/index.ts'
import { READABLE_EXTENSIONS } from '../images/index.ts'

/** Added to the name of a result that lies beside its source. */
export const BESIDE_SUFFIX = '_denoised'

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
  /** A folder that is left out: the one that the results go to. */
  except: string | undefined
  /** Leave out what an earlier export put beside its source. */
  skipResults: boolean
}

/** Every picture of the inputs, folders opened, in order of their names. With several folders each one's own name begins the relative paths. */
export async function expandInputs(inputs: readonly ExportInput[], options: ExpandOptions): Promise<ExportItem[]> {
  const items: ExportItem[] = []
  for (const input of inputs) {
    const info = await stat(input.path).catch(() => undefined)
    if (info?.isDirectory()) {
      const prefix = inputs.length > 1 ? input.name : ''
      items.push(...(await picturesOf(input.path, input.path, prefix, options)))
    } else {
      // What is not there fails in its turn, when it is read.
      items.push({ ...input, relative: input.name })
    }
  }
  return items
}

async function picturesOf(folder: string, root: string, prefix: string, options: ExpandOptions): Promise<ExportItem[]> {
  const items: ExportItem[] = []
  let entries
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (thrown) {
    const error = new LucidexError('FOLDER_NOT_READABLE', `The folder cannot be read: ${(thrown as Error).message}`, { path: folder })
    return [{ path: folder, name: basename(folder), relative: '', error: error.toData() }]
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) {
      if (options.recursive && path !== options.except) items.push(...(await picturesOf(path, root, prefix, options)))
    } else if (READABLE_EXTENSIONS.has(extname(entry.name).toLowerCase())) {
      if (options.skipResults && basename(entry.name, extname(entry.name)).endsWith(BESIDE_SUFFIX)) continue
      items.push({ path, name: entry.name, relative: [prefix, ...relative(root, path).split(sep)].filter((part) => part !== '').join(sep) })
    }
  }
  return items
}
