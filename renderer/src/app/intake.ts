import { UPLOAD_MAX_BYTES, type Query, type Source } from '$contract'
import { desktop } from '../engine/desktop.ts'
import { engine } from '../engine/engine.svelte.ts'
import { explain } from '../engine/messages.ts'
import { batch, type Entry } from '../features/batch/batch.svelte.ts'
import { denoise } from '../features/denoise/denoise.svelte.ts'
import { search } from '../features/search/search.svelte.ts'
import { formatBytes, plural } from '../ui/format.ts'
import { baseName, folderOf } from '../ui/paths.ts'
import { toasts } from '../ui/toasts.svelte.ts'
import { dialogs } from './dialogs.svelte.ts'
import { router } from './router.svelte.ts'

/** How pictures and folders get in: dialogs, the picker, drops and the clipboard. */

/** More pictures than this are queued as one entry. */
const MOST_NAMED = 100

/** A picture from outside the library: held by the engine, with its path where the host knows one. */
interface Given {
  query: Query
  source: Source
}

export async function addFolders(reason?: string): Promise<void> {
  if (desktop) return addPaths(await desktop.chooseFolders())
  const path = await dialogs.pick({ mode: 'folder', title: 'Add a folder', action: 'Add folder', reason })
  if (path) await addPaths([path])
}

async function addPaths(paths: string[]): Promise<void> {
  for (const path of paths) {
    try {
      const { folder } = await engine.api.library.addFolder({ path })
      router.go('library', folder.id)
    } catch (error) {
      toasts.fail(`Could not add ${path}`, explain(error))
    }
  }
  if (paths.length > 1) router.go('library')
}

/** Follows the disk again, in one folder or in all. */
export async function rescan(folderId?: number): Promise<void> {
  try {
    await engine.api.jobs.start({ kind: 'index', ...(folderId !== undefined && { folderId }) })
  } catch (error) {
    toasts.fail('Could not start indexing', explain(error))
  }
}

/** Gives the engine a dropped, pasted or chosen file. Null, with a message shown, when it cannot be taken. */
async function give(file: File): Promise<Given | null> {
  const path = desktop?.pathOf(file)
  try {
    if (path) return { query: await engine.api.search.open({ path }), source: { kind: 'path', path } }
    if (file.size > UPLOAD_MAX_BYTES) {
      toasts.fail(`${file.name} is too large`, `A picture given to a search may have ${formatBytes(UPLOAD_MAX_BYTES)}.`)
      return null
    }
    const bytes = new Uint8Array(await file.arrayBuffer())
    const query = await engine.api.search.upload({ name: (file.name || 'Pasted picture').slice(0, 255), bytes })
    return { query, source: { kind: 'query', id: query.id } }
  } catch (error) {
    toasts.fail(`Could not read ${file.name || 'the picture'}`, explain(error))
    return null
  }
}

async function searchByFile(file: File): Promise<void> {
  search.waiting = true
  router.go('search')
  const given = await give(file)
  search.waiting = false
  if (given) search.byGiven(given)
}

async function denoiseFile(file: File): Promise<void> {
  const path = desktop?.pathOf(file)
  const source = path ? ({ kind: 'path', path } as const) : (await give(file))?.source
  if (!source) return
  router.go('denoise')
  await denoise.open(source)
}

/** Lets a person choose the picture to search by. */
export async function choosePictureToFind(): Promise<void> {
  if (!desktop) {
    const file = await chooseFile()
    if (file) await searchByFile(file)
    return
  }
  const path = await desktop.choosePicture()
  if (!path) return
  router.go('search')
  try {
    search.byGiven({ query: await engine.api.search.open({ path }), source: { kind: 'path', path } })
  } catch (error) {
    toasts.fail('Could not read the picture', explain(error))
  }
}

/** Lets a person choose the picture to denoise, by path, so that the result can be written beside it. */
export async function choosePictureToDenoise(): Promise<void> {
  const path = await choosePicture('Open a picture', 'Open in Denoise')
  if (!path) return
  router.go('denoise')
  await denoise.open({ kind: 'path', path })
}

/** A picture's path, chosen by a person; null when dismissed. */
export function choosePicture(title: string, action: string): Promise<string | null> {
  return desktop ? desktop.choosePicture() : dialogs.pick({ mode: 'picture', title, action })
}

/** Adds pictures or folders to the queue of the batch, by path. */
function queuePaths(kind: 'picture' | 'folder', paths: string[]): void {
  batch.add(paths.map((path) => ({ sources: [{ kind: 'path', path }], kind, name: baseName(path), place: folderOf(path) })))
}

export async function addPictureToBatch(): Promise<void> {
  const path = await choosePicture('Add a picture', 'Add picture')
  if (path) queuePaths('picture', [path])
}

export async function addFolderToBatch(reason?: string): Promise<void> {
  if (desktop) return queuePaths('folder', await desktop.chooseFolders())
  const path = await dialogs.pick({ mode: 'folder', title: 'Denoise a folder', action: 'Add folder', reason })
  if (path) queuePaths('folder', [path])
}

/** Puts dropped pictures and folders into the queue, which is shown. */
async function queueDropped(pictures: File[], folders: File[]): Promise<void> {
  router.go('batch')
  if (desktop) {
    const pathsOf = (files: File[]) => files.map((file) => desktop!.pathOf(file)).filter(Boolean)
    queuePaths('folder', pathsOf(folders))
    queuePaths('picture', pathsOf(pictures))
    return
  }
  for (const file of pictures) {
    const given = await give(file)
    if (given) batch.add([{ sources: [given.source], kind: 'picture', name: given.query.name, place: 'Dropped', url: given.query.url }])
  }
  if (folders.length > 0) await addFolderToBatch(unknownPlace(folders[0]!))
}

/** Why the picker opens for a folder that was dropped in a browser. */
function unknownPlace(folder: File): string {
  return `A browser does not say where “${folder.name}” lies. Choose it here once more.`
}

/** Queues pictures of the library, which are named where they are few. */
export async function queueItems(ids: number[]): Promise<void> {
  router.go('batch')
  try {
    batch.add(await entriesOf(ids))
  } catch (error) {
    toasts.fail('Could not queue the pictures', explain(error))
  }
}

async function entriesOf(ids: number[]): Promise<Entry[]> {
  if (ids.length > MOST_NAMED)
    return [
      {
        sources: ids.map((id) => ({ kind: 'item', id })),
        kind: 'pictures',
        name: plural(ids.length, 'picture'),
        place: 'Chosen in the library',
      },
    ]
  const items = await Promise.all(ids.map((id) => engine.api.library.item({ id })))
  return items.map(({ id, name, url, files }) => ({
    sources: [{ kind: 'item', id }],
    kind: 'picture',
    name,
    place: files[0] ? folderOf(files[0].path) : '',
    url,
  }))
}

/** Lets a person choose where exports go. */
export function chooseDestination(): Promise<string | null> {
  return desktop
    ? desktop.chooseFolder()
    : dialogs.pick({ mode: 'folder', title: 'Choose a folder for the results', action: 'Use this folder' })
}

/** Lets a person choose a folder that the library is told of. */
export function chooseFolderHere(title: string): Promise<string | null> {
  return desktop ? desktop.chooseFolder() : dialogs.pick({ mode: 'folder', title, action: 'Use this folder' })
}

/** Lets a person choose an exported library. */
export function chooseLibraryFile(): Promise<string | null> {
  return desktop ? desktop.chooseLibrary() : dialogs.pick({ mode: 'library', title: 'Import a library', action: 'Open' })
}

/** Where a library is exported to; a desktop's own dialog has asked before it lets a file be replaced. */
export async function chooseLibraryTarget(): Promise<{ path: string; overwrite: boolean } | null> {
  const name = `Lucidex library ${new Date().toISOString().slice(0, 10)}.lucidex`
  if (desktop) {
    const path = await desktop.chooseSave(name)
    return path === null ? null : { path, overwrite: true }
  }
  const folder = await dialogs.pick({ mode: 'folder', title: 'Export the library into a folder', action: 'Export here' })
  if (folder === null) return null
  const separator = folder.includes('\\') ? '\\' : '/'
  return { path: folder.endsWith(separator) ? folder + name : folder + separator + name, overwrite: false }
}

function chooseFile(): Promise<File | undefined> {
  return new Promise((resolve) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.accept = ['image/*', ...(engine.info?.extensions ?? [])].join(',')
    input.addEventListener('change', () => resolve(input.files?.[0]))
    input.addEventListener('cancel', () => resolve(undefined))
    input.click()
  })
}

/** Folders are indexed; one picture is searched by, or opened where pictures are denoised; the batch takes all there are. */
export async function takeDrop(data: DataTransfer): Promise<void> {
  // Read at once: the list is emptied when the event is over.
  const dropped = [...data.items].flatMap((item) => {
    const file = item.kind === 'file' ? item.getAsFile() : null
    return file ? [{ file, isFolder: item.webkitGetAsEntry()?.isDirectory ?? false }] : []
  })
  const folders = dropped.filter((entry) => entry.isFolder)
  const [first, ...more] = dropped.filter((entry) => !entry.isFolder)
  if (router.view === 'batch' || (router.view === 'denoise' && (folders.length > 0 || more.length > 0))) {
    const files = (entries: typeof dropped) => entries.map((entry) => entry.file)
    return queueDropped(first ? files([first, ...more]) : [], files(folders))
  }
  if (folders.length > 0) {
    if (desktop) return addPaths(folders.map((entry) => desktop!.pathOf(entry.file)).filter(Boolean))
    return addFolders(unknownPlace(folders[0]!.file))
  }
  if (!first) return
  if (more.length > 0)
    toasts.show({ tone: 'plain', title: 'One picture at a time', text: `Took ${first.file.name}. To index many, drop their folder.` })
  return router.view === 'denoise' ? denoiseFile(first.file) : searchByFile(first.file)
}

/** Searches by the clipboard's picture, asked for by a menu rather than by the keys for pasting. */
export async function pasteFromClipboard(): Promise<void> {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((candidate) => candidate.startsWith('image/'))
      if (type) return await searchByFile(new File([await item.getType(type)], 'Pasted picture', { type }))
    }
    toasts.show({ tone: 'plain', title: 'There is no picture on the clipboard' })
  } catch {
    toasts.show({ tone: 'plain', title: 'Press Ctrl+V to paste', text: 'The clipboard may not be read without it.' })
  }
}

/** The picture on the clipboard, if that is what is pasted. */
export function takePaste(data: DataTransfer): boolean {
  const file = [...data.files].find((candidate) => candidate.type.startsWith('image/'))
  if (!file) return false
  void (router.view === 'denoise' ? denoiseFile(file) : searchByFile(file))
  return true
}
