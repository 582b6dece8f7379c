import { librarySettings, MAX_MEGAPIXELS, type LibrarySettings } from '../contract/index.ts'
import type { SettingQueries } from '../db/queries/settings.ts'

/** Under this name in the table of settings. */
const NAME = 'library'

const DEFAULTS: LibrarySettings = { concurrency: 'auto', watch: true, followAtStart: true, maxMegapixels: MAX_MEGAPIXELS }

/** How folders are read and followed, as it was set for this library. What another version wrote and this one does not understand counts as not set. */
export function readSettings(settings: SettingQueries): LibrarySettings {
  const stored = settings.get(NAME)
  const known = Object.entries(librarySettings.shape).flatMap(([name, shape]) => {
    const parsed = shape.safeParse((stored as Record<string, unknown> | undefined)?.[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return { ...DEFAULTS, ...Object.fromEntries(known) }
}

export function writeSettings(settings: SettingQueries, change: Partial<LibrarySettings>): LibrarySettings {
  const changed = { ...readSettings(settings), ...change }
  settings.set(NAME, changed)
  return changed
}
