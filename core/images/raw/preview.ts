import { LucidexError } from '../../contract/errors.ts'
import { exifOfJpeg } from '../exif.ts'
import { embedInJpeg } from '../embed.ts'
import type { RawFormat } from '../formats.ts'
import { longTag, writeTagBlock, TAG } from '../tiffTags.ts'
import { readCr3 } from './cr3.ts'
import { readJpegHeader } from './jpegHeader.ts'
import { readRaf } from './raf.ts'
import { readTiffRaw } from './tiffRaw.ts'

/** Where a RAW file says that a JPEG lies. */
export interface Range {
  start: number
  length: number
}

/** What a RAW file's own directories tell. */
export interface RawFile {
  format: RawFormat
  ranges: Range[]
  /** What tells where they lie is itself cut off. */
  isCut: boolean
  /** EXIF's, of the file; 1 where it says nothing. */
  orientation: number
  /** Begins with its TIFF header. */
  exif: Uint8Array | undefined
}

/** The picture that a camera put into its RAW file. */
export interface RawPreview extends Pick<RawFile, 'format' | 'exif'> {
  /** A JPEG that says itself how it is turned. */
  jpeg: Uint8Array
}

/**
 * The largest preview in a RAW file; undefined when the file is none of the RAW formats that are read.
 * The sensor's data are not developed. Errors: FORMAT_UNSUPPORTED without a preview, PICTURE_TRUNCATED when it
 * lies behind the file's end.
 */
export function readRawPreview(bytes: Uint8Array, path?: string): RawPreview | undefined {
  const raw = readRaf(bytes) ?? readCr3(bytes) ?? readTiffRaw(bytes)
  if (!raw) return undefined
  const inside = raw.ranges.filter(({ start, length }) => length > 0 && start + length <= bytes.length)
  const previews = inside.flatMap(({ start, length }) => {
    const jpeg = bytes.subarray(start, start + length)
    const header = readJpegHeader(jpeg)
    return header ? [{ jpeg, ...header }] : []
  })
  const [largest] = previews.sort((a, b) => b.width * b.height - a.width * a.height)
  if (!largest) {
    if (raw.isCut || inside.length < raw.ranges.length) throw new LucidexError('PICTURE_TRUNCATED', 'The picture is cut short', { path })
    throw new LucidexError('FORMAT_UNSUPPORTED', `This ${raw.format.toUpperCase()} file holds no preview`, { path })
  }
  const { jpeg, hasExif } = largest
  return {
    format: raw.format,
    jpeg: hasExif ? jpeg : turnedBy(jpeg, raw.orientation),
    exif: raw.exif ?? exifOfJpeg(jpeg),
  }
}

/** The JPEG with an EXIF block that says how it is turned. */
function turnedBy(jpeg: Uint8Array, orientation: number): Uint8Array {
  if (orientation <= 1 || orientation > 8) return jpeg
  const { parts, first } = writeTagBlock({ image: [longTag(TAG.orientation, orientation)], exif: [], gps: [] }, 8)
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1')
  header.writeUInt32LE(first, 4)
  return Buffer.concat(embedInJpeg(jpeg, { exif: Buffer.concat([header, ...parts]) }).parts)
}
