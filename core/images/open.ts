import sharp, { type Metadata, type Sharp } from 'sharp'
import { LucidexError } from '../contract/errors.ts'
import { exifOfTiff } from './exif.ts'
import { decodeFailure } from './failures.ts'
import { readBytes } from './files.ts'
import { sniffFormat, type PictureFormat } from './formats.ts'
import type { PictureFacts } from './types.ts'

/** Pictures beyond this many pixels are refused: a small file can announce a huge one. */
export const MAX_PIXELS = 2 ** 28

/** A picture file in memory, its header understood and its pixels not decoded yet. */
export interface OpenedPicture {
  bytes: Uint8Array
  /** Named in errors. */
  name: string | undefined
  format: PictureFormat
  header: Metadata
  /** Upright. */
  width: number
  height: number
  /** An EXIF block that begins with its TIFF header. */
  exif: Uint8Array | undefined
}

/**
 * Reads a picture's file, when `input` is its path, and its header.
 *
 * Errors: those of reading a file, FORMAT_UNKNOWN, FORMAT_UNSUPPORTED, PICTURE_CORRUPT,
 * PICTURE_TRUNCATED, PICTURE_TOO_LARGE.
 */
export async function openPicture(
  input: string | Uint8Array,
  name = typeof input === 'string' ? input : undefined,
): Promise<OpenedPicture> {
  const bytes = typeof input === 'string' ? await readBytes(input) : input
  if (bytes.length === 0) throw new LucidexError('FILE_EMPTY', 'The file is empty', { path: name })
  const { format, other } = sniffFormat(bytes)
  if (!format) {
    throw other
      ? new LucidexError('FORMAT_UNSUPPORTED', `${other} files are not read`, { path: name })
      : new LucidexError('FORMAT_UNKNOWN', 'This is not a picture of a known format', { path: name })
  }
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown: unknown) => {
      throw decodeFailure(thrown, bytes, format, name)
    })
  const { width, height } = header.autoOrient
  if (width * height > MAX_PIXELS) {
    throw new LucidexError('PICTURE_TOO_LARGE', `The picture has ${width} × ${height} pixels, over the limit of ${MAX_PIXELS}`, {
      path: name,
    })
  }
  return { bytes, name, format, header, width, height, exif: exifOf(header, bytes, format) }
}

/** What the header tells, without decoding. Errors: those of opening it. */
export async function inspectPicture(input: string | Uint8Array, name?: string): Promise<PictureFacts> {
  const { format, width, height, header } = await openPicture(input, name)
  return { format, width, height, channels: header.channels, bitDepth: header.depth === 'uchar' ? 8 : 16 }
}

function exifOf(header: Metadata, bytes: Uint8Array, format: PictureFormat): Uint8Array | undefined {
  if (format === 'tiff') return exifOfTiff(bytes)
  const exif = header.exif
  // In JPEG the block has a name before it, and some writers copy that into the other formats.
  return exif?.subarray(0, 6).toString('latin1') === 'Exif\0\0' ? exif.subarray(6) : exif
}

/**
 * A decoder of the opened picture's first page, upright. Damage that costs pixels fails the decoding;
 * what a decoder only remarks upon does not, because such files are everywhere.
 */
export function decoder(picture: OpenedPicture, options: { ignoreIcc: boolean }): Sharp {
  return sharp(picture.bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, autoOrient: true, ...options })
}

/** The decoded samples. Errors: PICTURE_CORRUPT, PICTURE_TRUNCATED, PICTURE_TOO_LARGE. */
export async function decode(pipeline: Sharp, picture: OpenedPicture) {
  try {
    return await pipeline.toBuffer({ resolveWithObject: true })
  } catch (thrown) {
    throw decodeFailure(thrown, picture.bytes, picture.format, picture.name)
  }
}
