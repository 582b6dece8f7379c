import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { LucidexError, type PickerListing } from '../contract/index.ts'

/** Folders with more entries than this are listed in part: a picker is no file manager. */
const MAX_ENTRIES = 5000

/** Of exported libraries, lower case. */
const LIBRARY_EXTENSION = '.lucidex'

/**
 * One level of the disk for the server-side picker: folders first, then the files that are wanted, by name;
 * `extensions` are those of pictures, which are counted in any case. Hidden entries are left out. Errors: FOLDER_NOT_FOUND, FOLDER_NOT_READABLE.
 */
export async function listForPicker(
  folder: string | undefined,
  extensions: ReadonlySet<string>,
  wantedFiles: 'pictures' | 'libraries' = 'pictures',
): Promise<PickerListing> {
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
  const files = visible.filter((entry) => entry.isFile())
  const extensionOf = ({ name }: { name: string }) => path.extname(name).toLowerCase()
  const pictures = files.filter((file) => extensions.has(extensionOf(file)))
  const kind = wantedFiles === 'pictures' ? 'picture' : 'library'
  const listedFiles = kind === 'picture' ? pictures : files.filter((file) => extensionOf(file) === LIBRARY_EXTENSION)
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
  const entry = async (name: string, kind: PickerListing['entries'][number]['kind']) => {
    const full = path.join(here, name)
    const bytes = kind === 'folder' ? null : ((await stat(full).catch(() => null))?.size ?? null)
    return { name, path: full, kind, bytes }
  }
  const listed = await Promise.all([
    ...folders
      .map(({ name }) => name)
      .sort(byName.compare)
      .map((name) => entry(name, 'folder')),
    ...listedFiles
      .map(({ name }) => name)
      .sort(byName.compare)
      .map((name) => entry(name, kind)),
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
