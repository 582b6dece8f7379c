import { numberOf, readDirectory, TAG, type TagBlock } from '../tiffTags.ts'
import type { Range } from './preview.ts'

/** Tags of the maker's note: the directory CameraSettings, and in it where the preview lies. */
const CAMERA_SETTINGS = 0x2020
const PREVIEW_START = 0x101
const PREVIEW_LENGTH = 0x102

/** Names that begin a maker's note: where its directory lies, and whether its offsets count from the note. */
const NOTES = [
  { name: 'OLYMPUS\0', directory: 12, ownOffsets: true },
  { name: 'OM SYSTEM\0', directory: 16, ownOffsets: true },
  { name: 'OLYMP\0', directory: 8, ownOffsets: false },
]

/** The preview that Olympus keeps in its maker's note. Layout after ExifTool (MakerNotes.pm, Olympus.pm). */
export function olympusPreview(view: DataView, { exif, littleEndian }: TagBlock): Range[] {
  const note = exif.find(({ id }) => id === TAG.makerNote)
  if (!note || note.data.length < 24) return []
  const start = view.getUint32(note.at + 8, littleEndian)
  const kind = NOTES.find(({ name }) => Buffer.from(note.data.subarray(0, name.length)).toString('latin1') === name)
  if (!kind) return []
  const base = kind.ownOffsets ? start : 0
  const own = new DataView(view.buffer, view.byteOffset + base, view.byteLength - base)
  const directory = readDirectory(own, start - base + kind.directory, littleEndian)
  // A directory of its own type or an undefined block: the value is where it lies in both cases.
  const pointer = directory?.tags.find(({ id }) => id === CAMERA_SETTINGS)
  const settings = pointer && readDirectory(own, own.getUint32(pointer.at + 8, littleEndian), littleEndian)
  if (!settings) return []
  const [at, length] = [numberOf(settings.tags, PREVIEW_START), numberOf(settings.tags, PREVIEW_LENGTH)]
  return at === undefined || length === undefined ? [] : [{ start: base + at, length }]
}
