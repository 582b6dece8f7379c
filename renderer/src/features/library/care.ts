import type { Folder } from '$contract'
import { router } from '../../app/router.svelte.ts'
import { engine } from '../../engine/engine.svelte.ts'
import { explain } from '../../engine/messages.ts'
import { formatCount, plural } from '../../ui/format.ts'
import { toasts } from '../../ui/toasts.svelte.ts'
import { library } from './library.svelte.ts'

/** What is taken out of the library, and put back: each tells what it did and offers the way back. The disk is never touched. */

/** The path of a folder of the library, or of one inside it, as its system writes it. */
export function pathOf(folder: Pick<Folder, 'path'>, within: string | null): string {
  if (within === null) return folder.path
  const separator = folder.path.includes('\\') ? '\\' : '/'
  return [folder.path.replace(/[/\\]$/, ''), ...within.split('/')].join(separator)
}

export async function undo(id: number): Promise<void> {
  try {
    await engine.api.library.undo({ id })
  } catch (error) {
    toasts.fail('Could not undo this', explain(error))
  }
}

function tell(title: string, text: string, undoId: number | null): void {
  const action = undoId === null ? undefined : { label: 'Undo', run: () => void undo(undoId) }
  toasts.show({ tone: 'plain', title, text, action })
}

/** Takes a folder out of the library. */
export async function removeFolder({ id, name }: Pick<Folder, 'id' | 'name'>): Promise<void> {
  try {
    const { undoId } = await engine.api.library.removeFolder({ folderId: id })
    if (library.folderId === id) router.go('library')
    tell(`“${name}” left the library`, 'Nothing on the disk was touched.', undoId)
  } catch (error) {
    toasts.fail(`Could not remove “${name}”`, explain(error))
  }
}

/** Forgets files that are gone for good: those of one folder, or of all that are not offline. */
export async function forgetMissing(folder?: Pick<Folder, 'id' | 'name'>): Promise<void> {
  try {
    const { count, undoId } = await engine.api.library.forgetMissing(folder ? { folderId: folder.id } : {})
    if (count === 0) toasts.show({ tone: 'plain', title: 'Nothing is missing' })
    else
      tell(
        `${plural(count, 'missing file')} forgotten`,
        folder ? `They were in “${folder.name}”.` : 'Folders that are offline were left alone.',
        undoId,
      )
  } catch (error) {
    toasts.fail('Could not forget the missing files', explain(error))
  }
}

/** Lists failed files no more, until they change. */
export async function setAside(fileIds: number[]): Promise<void> {
  try {
    const { count, undoId } = await engine.api.library.ignore({ fileIds })
    tell(`${plural(count, 'file')} set aside`, 'Listed again when it changes.', undoId)
  } catch (error) {
    toasts.fail('Could not set this aside', explain(error))
  }
}

/** Reads failed files once more: these, or all that are listed. */
export async function retry(fileIds?: number[]): Promise<void> {
  try {
    const { count } = await engine.api.library.retry(fileIds ? { fileIds } : {})
    if (count === 0) toasts.show({ tone: 'plain', title: 'Nothing to try again' })
  } catch (error) {
    toasts.fail('Could not try again', explain(error))
  }
}

/** Changes what a folder leaves out; answers whether it was taken. */
export async function leaveOut(folder: Folder, ignore: string): Promise<boolean> {
  try {
    await engine.api.library.configureFolder({ folderId: folder.id, ignore })
    return true
  } catch (error) {
    toasts.fail(`Could not change what “${folder.name}” leaves out`, explain(error))
    return false
  }
}

/** Leaves one folder inside a folder of the library out of it. */
export async function leaveOutFolder(folder: Folder, within: string): Promise<void> {
  const before = folder.ignore
  const pattern = `/${within.replace(/[\\*?[\]!# ]/g, (character) => `\\${character}`)}/`
  if (!(await leaveOut(folder, [before.trimEnd(), pattern].filter(Boolean).join('\n')))) return
  if (library.folderId === folder.id && library.within === within) router.go('library', folder.id)
  const action = { label: 'Undo', run: () => void leaveOut(folder, before) }
  toasts.show({ tone: 'plain', title: `“${within.split('/').at(-1)}” is left out`, text: 'Nothing on the disk was touched.', action })
}

export async function copyPath(path: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(path)
    toasts.show({ tone: 'plain', title: 'Path copied' })
  } catch {
    toasts.fail('The browser did not allow copying', path)
  }
}

/** How many of a folder's files are gone, in words for a menu. */
export const missingText = (count: number): string =>
  `Forget ${count === 1 ? 'its missing file' : `its ${formatCount(count)} missing files`}`
