import type { Finding, Undoable } from '$contract'
import { formatTime, plural } from '../../ui/format.ts'
import { baseName } from '../../ui/paths.ts'

/** What verifying found that was left as it is, in words. */
export const PROBLEM_NAMES: Record<Finding, string> = {
  database: 'The catalog is damaged',
  'folder-offline': 'This folder is offline: its files could not be compared',
  'file-unreadable': 'This file could not be read',
  'content-changed': 'Other bytes than when it was read, at the same size and time: the disk may be failing',
  'file-changed': 'This file changed',
  'file-missing': 'This file is missing',
  'file-returned': 'This file is back',
  'thumbnail-missing': 'A thumbnail is missing',
  'vector-missing': 'A descriptor is missing',
  'vector-damaged': 'A descriptor is damaged',
  orphan: 'Leftover rows in the catalog',
  label: 'A picture without its file',
  'index-recall': 'The search graph misses too much',
}

/** What verifying mended, in words. */
export const REPAIR_NAMES: Record<Finding, (count: number) => string> = {
  database: (count) => `${plural(count, 'damage', 'damages')} of the catalog mended`,
  'folder-offline': (count) => `${plural(count, 'folder')} marked as offline`,
  'file-unreadable': (count) => `${plural(count, 'file')} listed under Problems`,
  'content-changed': (count) => `${plural(count, 'file')} read again`,
  'file-changed': (count) => `${plural(count, 'changed file')} read again`,
  'file-missing': (count) => `${plural(count, 'file')} marked as missing`,
  'file-returned': (count) => `${plural(count, 'file')} found again`,
  'thumbnail-missing': (count) => `${plural(count, 'thumbnail')} made again`,
  'vector-missing': (count) => `${plural(count, 'missing descriptor')} computed again`,
  'vector-damaged': (count) => `${plural(count, 'damaged descriptor')} computed again`,
  orphan: (count) => `${plural(count, 'leftover row')} cleared from the catalog`,
  label: (count) => `${plural(count, 'picture')} joined with their files again`,
  'index-recall': () => 'The search graph is built anew',
}

/** What was taken out of the library, in words. */
export function undoableText({ kind, folder, count, at }: Undoable): { title: string; text: string } {
  const where = folder === null ? '' : ` in “${baseName(folder)}”`
  const title = {
    'remove-folder': `“${baseName(folder ?? '')}” taken out, with ${plural(count, 'file')}`,
    'forget-missing': `${plural(count, 'missing file')} forgotten${where}`,
    ignore: `${plural(count, 'problem')} set aside${where}`,
  }[kind]
  return { title, text: formatTime(at) }
}
