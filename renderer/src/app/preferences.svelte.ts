const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export const THUMBNAIL_MIN_PX = 96
export const THUMBNAIL_MAX_PX = 320

const KEY = 'lucidex'

interface Saved {
  theme: Theme
  thumbnailPx: number
  /** Whether thumbnails show whole pictures, or fill their squares. */
  wholeThumbnails: boolean
  inspector: boolean
  /** Branches of the folder tree, by their keys (folderTree.svelte.ts). */
  openFolders: string[]
}

const DEFAULTS: Saved = { theme: 'system', thumbnailPx: 152, wholeThumbnails: false, inspector: true, openFolders: [] }

/** What this window remembers of how it is used; none of it is the engine's. */
export class Preferences implements Saved {
  theme = $state<Theme>(DEFAULTS.theme)
  thumbnailPx = $state(DEFAULTS.thumbnailPx)
  wholeThumbnails = $state(DEFAULTS.wholeThumbnails)
  inspector = $state(DEFAULTS.inspector)
  openFolders = $state.raw(DEFAULTS.openFolders)

  constructor() {
    const saved = read()
    if (THEMES.includes(saved.theme as Theme)) this.theme = saved.theme as Theme
    if (typeof saved.thumbnailPx === 'number') this.thumbnailPx = Math.min(THUMBNAIL_MAX_PX, Math.max(THUMBNAIL_MIN_PX, saved.thumbnailPx))
    if (typeof saved.wholeThumbnails === 'boolean') this.wholeThumbnails = saved.wholeThumbnails
    if (typeof saved.inspector === 'boolean') this.inspector = saved.inspector
    if (Array.isArray(saved.openFolders)) this.openFolders = saved.openFolders.filter((key) => typeof key === 'string')
  }

  set(change: Partial<Saved>): void {
    Object.assign(this, change)
    const { theme, thumbnailPx, wholeThumbnails, inspector, openFolders } = this
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, thumbnailPx, wholeThumbnails, inspector, openFolders }))
    } catch {
      // Storage is switched off: the choice holds until the window closes.
    }
    if (change.theme) this.applyTheme()
  }

  /** Puts the theme on the page; tokens.css follows the system where it says `system`. */
  applyTheme(): void {
    document.documentElement.dataset.theme = this.theme
  }
}

function read(): Partial<Record<keyof Saved, unknown>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}')
  } catch {
    return {}
  }
}

export const preferences = new Preferences()
