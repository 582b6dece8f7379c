import { addFolders, choosePictureToDenoise, choosePictureToFind, pasteFromClipboard } from './intake.ts'
import { dialogs } from './dialogs.svelte.ts'
import { preferences } from './preferences.svelte.ts'
import { router } from './router.svelte.ts'

/** What keys and the desktop's menu (electron/policy/menuItems.ts) can ask for, by name. */
const COMMANDS: Record<string, () => unknown> = {
  'add-folder': () => addFolders(),
  'open-picture': () => (router.view === 'denoise' ? choosePictureToDenoise() : choosePictureToFind()),
  paste: () => pasteFromClipboard(),
  library: () => router.go('library'),
  search: () => router.go('search'),
  denoise: () => router.go('denoise'),
  batch: () => router.go('batch'),
  settings: () => router.go('settings'),
  shortcuts: () => (dialogs.shortcuts = true),
  'toggle-inspector': () => preferences.set({ inspector: !preferences.inspector }),
  filter: () => {
    if (router.view !== 'library') router.go('library')
    // The field is there after the view has changed.
    requestAnimationFrame(() => document.getElementById('filter')?.focus())
  },
}

export function runCommand(name: string): void {
  if (!dialogs.open && Object.hasOwn(COMMANDS, name)) void COMMANDS[name]!()
}
