import Copy from '@lucide/svelte/icons/copy'
import EyeOff from '@lucide/svelte/icons/eye-off'
import FileX from '@lucide/svelte/icons/file-x'
import FolderOpen from '@lucide/svelte/icons/folder-open'
import RefreshCw from '@lucide/svelte/icons/refresh-cw'
import TriangleAlert from '@lucide/svelte/icons/triangle-alert'
import X from '@lucide/svelte/icons/x'
import { rescan } from '../../app/intake.ts'
import { router } from '../../app/router.svelte.ts'
import { desktop } from '../../engine/desktop.ts'
import { plural } from '../../ui/format.ts'
import type { MenuEntry } from '../../ui/Menu.svelte'
import { copyPath, forgetMissing, leaveOutFolder, missingText, pathOf, removeFolder } from './care.ts'
import type { TreeRow } from './folderTree.svelte.ts'

/** What can be done with a folder of the tree. `ignore` opens the dialog of its patterns. */
export function entriesFor({ folder, within, counts }: TreeRow, { ignore }: { ignore: () => void }): MenuEntry[] {
  const path = pathOf(folder, within)
  const place: MenuEntry[] = [{ label: 'Copy path', icon: Copy, choose: () => void copyPath(path) }]
  if (desktop) {
    const host = desktop
    const disabled = folder.state === 'offline'
    place.unshift({ label: 'Show in folder', icon: FolderOpen, disabled, choose: () => void host.revealInFolder(path) })
  }
  if (within !== null)
    return [...place, { label: 'Leave this folder out', icon: EyeOff, choose: () => void leaveOutFolder(folder, within) }]

  const entries: MenuEntry[] = [
    { label: 'Look for changes', icon: RefreshCw, disabled: folder.state !== 'ready', choose: () => void rescan(folder.id) },
    { label: 'What to leave out…', icon: EyeOff, choose: ignore },
  ]
  if (counts.failed > 0) {
    const label = `Show ${plural(counts.failed, 'problem')}`
    entries.push({ label, icon: TriangleAlert, choose: () => router.go('problems', folder.id) })
  }
  if (counts.missing > 0 && folder.state !== 'offline')
    entries.push({ label: missingText(counts.missing), icon: FileX, choose: () => void forgetMissing(folder) })
  return [...entries, ...place, { label: 'Take out of the library', icon: X, tone: 'bad', choose: () => void removeFolder(folder) }]
}
