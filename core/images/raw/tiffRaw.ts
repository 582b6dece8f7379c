import { exifOfTiff } from '../exif.ts'
import type { RawFormat } from '../formats.ts'
import { numberOf, numbersOf, readDirectory, readTagBlock, TAG, textOf, type Tag, type TagBlock } from '../tiffTags.ts'
import { olympusPreview } from './olympus.ts'
import type { Range, RawFile } from './preview.ts'

/** More directories than any camera writes. */
const DIRECTORIES_MAX = 64

/** PhotometricInterpretation of sensor data: a colour filter array, or what was made of one (DNG 1.7, chapter 4). */
const SENSOR: ReadonlySet<number | undefined> = new Set([32803, 34892])
/** Compression "JPEG", in its old and its present form. */
const JPEG: ReadonlySet<number | undefined> = new Set([6, 7])
/** Panasonic's JpgFromRaw: the file itself as the tag's value. */
const PANASONIC_JPEG = 0x2e

/**
 * RAW files that are built like TIFF: CR2, NEF, ARW, DNG, ORF, RW2. The directories, their sub-directories and, for
 * Olympus, the maker's note tell where JPEGs lie. Undefined for everything else, also for a TIFF that is just that.
 */
export function readTiffRaw(bytes: Uint8Array): RawFile | undefined {
  const named = namedFormat(bytes)
  const block = readTagBlock(bytes)
  if (!block) return named && { format: named, ranges: [], isCut: true, orientation: 1, exif: undefined }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const directories = allDirectories(view, block)
  const format = named ?? formatOf(block, directories)
  if (!format) return undefined
  return {
    format,
    ranges: [...directories.flatMap((tags) => rangesIn(view, tags, block)), ...(format === 'orf' ? olympusPreview(view, block) : [])],
    isCut: false,
    orientation: numberOf(block.image, TAG.orientation) ?? 1,
    exif: exifOfTiff(bytes),
  }
}

/** By the first bytes. */
function namedFormat(bytes: Uint8Array): RawFormat | undefined {
  const magic = Buffer.from(bytes.subarray(0, 10)).toString('latin1')
  if (magic.startsWith('IIU\0')) return 'rw2'
  if (/^(IIR[OS]|MMOR)/.test(magic)) return 'orf'
  return magic.startsWith('II*\0') && magic.endsWith('CR') ? 'cr2' : undefined
}

/** By what the directories hold. */
function formatOf({ image }: TagBlock, directories: readonly (readonly Tag[])[]): RawFormat | undefined {
  if (image.some(({ id }) => id === TAG.dngVersion)) return 'dng'
  if (!directories.some((tags) => SENSOR.has(numberOf(tags, TAG.photometric)))) return undefined
  const make = textOf(image, TAG.make)?.toUpperCase() ?? ''
  return make.startsWith('NIKON') ? 'nef' : make.startsWith('SONY') ? 'arw' : undefined
}

/** The chain of directories with those below them, each once. */
function allDirectories(view: DataView, { image, littleEndian, nextAt }: TagBlock): Tag[][] {
  const found: Tag[][] = [image]
  const seen = new Set<number>()
  const due = [...numbersOf(image, TAG.subDirectories), nextOf(view, nextAt, littleEndian)]
  while (due.length > 0 && found.length < DIRECTORIES_MAX) {
    const offset = due.shift()!
    if (seen.has(offset)) continue
    seen.add(offset)
    const directory = readDirectory(view, offset, littleEndian)
    if (!directory) continue
    found.push(directory.tags)
    due.push(...numbersOf(directory.tags, TAG.subDirectories), nextOf(view, directory.nextAt, littleEndian))
  }
  return found
}

function nextOf(view: DataView, at: number, littleEndian: boolean): number {
  return at + 4 <= view.byteLength ? view.getUint32(at, littleEndian) : 0
}

function rangesIn(view: DataView, tags: readonly Tag[], { littleEndian }: TagBlock): Range[] {
  const ranges: Range[] = []
  const add = (start: number | undefined, length: number | undefined) => {
    if (start !== undefined && length !== undefined) ranges.push({ start, length })
  }
  add(numberOf(tags, TAG.thumbnailOffset), numberOf(tags, TAG.thumbnailLength))
  const isSensor = SENSOR.has(numberOf(tags, TAG.photometric))
  const strips = tags.find(({ id }) => id === TAG.stripOffsets)
  if (!isSensor && strips?.count === 1 && JPEG.has(numberOf(tags, TAG.compression)))
    add(numberOf(tags, TAG.stripOffsets), numberOf(tags, TAG.stripByteCounts))
  const embedded = tags.find(({ id }) => id === PANASONIC_JPEG)
  if (embedded && embedded.data.length > 4) add(view.getUint32(embedded.at + 8, littleEndian), embedded.data.length)
  return ranges
}
