import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { LucidexError, type PickerListing } from '../contract/index.ts'

/** Folders with more entries than this are listed in part: a picker is no file manager. */
const MAX_ENTRIES = 5000

/**
 * One level of the disk for the server-side folder picker: folders first, then pictures, by name.
 * Hidden entries are left out. Errors: FOLDER_NOT_FOUND, FOLDER_NOT_READABLE.
 */
export async function listForPicker(folder: string | undefined, extensions: ReadonlySet<string>): Promise<PickerListing> {
  const wanted = path.resolve(folder ?? homedir())
  let dirents
  let here: string
  try {
    here = await realpath(wanted)
    dirents = await readdir(here, { withFileTypes: true })
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR'
    throw new LucidexError(
      missing ? 'FOLDER_NOT_FOUND' : 'FOLDER_NOT_READABLE',
      `${wanted} ${missing ? 'is not a folder' : 'cannot be read'}`,
      {
        path: wanted,
        cause,
      },
    )
  }
  const visible = dirents.filter((entry) => !entry.name.startsWith('.')).slice(0, MAX_ENTRIES)
  const folders = visible.filter((entry) => entry.isDirectory())
  const pictures = visible.filter((entry) => entry.isFile() && extensions.has(path.extname(entry.name).toLowerCase()))
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
  const entry = async (name: string, kind: 'folder' | 'picture') => {
    const full = path.join(here, name)
    const bytes = kind === 'picture' ? ((await stat(full).catch(() => null))?.size ?? null) : null
    return { name, path: full, kind, bytes }
  }
  const listed = await Promise.all([
    ...folders
      .map(({ name }) => name)
      .sort(byName.compare)
      .map((name) => entry(name, 'folder')),
    ...pictures
      .map(({ name }) => name)
      .sort(byName.compare)
      .map((name) => entry(name, 'picture')),
  ])
  const parent = path.dirname(here)
  return { path: here, parent: parent === here ? null : parent, entries: listed, pictures: pictures.length, places: await places() }
}

async function places(): Promise<PickerListing['places']> {
  const home = homedir()
  const wanted = [
    { name: 'Home', path: home },
    ...['Pictures', 'Desktop', 'Documents', 'Downloads'].map((name) => ({ name, path: path.join(home, name) })),
    ...['/media', '/mnt', '/Volumes'].map((mount) => ({ name: mount, path: mount })),
    { name: path.parse(home).root, path: path.parse(home).root },
  ]
  const here = await Promise.all(wanted.map(async (place) => (await stat(place.path).catch(() => null))?.isDirectory() ?? false))
  return wanted.filter((_, index) => here[index])
}
