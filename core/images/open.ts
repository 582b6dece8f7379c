import sharp, { type Metadata, type OutputInfo, type Sharp } from 'sharp'
import { LucidexError } from '../contract/errors.ts'
import { exifOfTiff } from './exif.ts'
import { decodeFailure } from './failures.ts'
import { readBytes } from './files.ts'
import { sniffFormat, type PictureFormat, type SharpFormat } from './formats.ts'
import { openHeif } from './heif/read.ts'
import { readRawPreview } from './raw/preview.ts'
import type { PictureFacts } from './types.ts'

/** Pictures beyond this many pixels are refused: a small file can announce a huge one. */
export const MAX_PIXELS = 2 ** 28

/** What of a header is used, in the image library's words. */
export type Header = Pick<
  Metadata,
  'space' | 'channels' | 'depth' | 'hasAlpha' | 'icc' | 'xmp' | 'iptc' | 'comments' | 'density' | 'pages' | 'gainMap'
>

/** A picture file in memory, its header understood and its pixels not decoded yet. */
export interface OpenedPicture {
  bytes: Uint8Array
  /** Named in errors. */
  name: string | undefined
  format: PictureFormat
  header: Header
  /** Upright. */
  width: number
  height: number
  /** An EXIF block that begins with its TIFF header. */
  exif: Uint8Array | undefined
  /** What a user should know of what was read. */
  notes: string[]
  /** What the image library decodes: the file, or what stands for it. */
  pixels: { format: SharpFormat; bytes(): Promise<Uint8Array> }
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
  const picture = openRaw(bytes, name) ?? openOther(bytes, name)
  const { width, height } = await picture
  if (width * height > MAX_PIXELS) {
    throw new LucidexError('PICTURE_TOO_LARGE', `The picture has ${width} × ${height} pixels, over the limit of ${MAX_PIXELS}`, {
      path: name,
    })
  }
  return picture
}

async function openOther(bytes: Uint8Array, name: string | undefined): Promise<OpenedPicture> {
  const { format, other } = sniffFormat(bytes)
  if (format === 'heic') return openHeic(bytes, name)
  if (format) return openCoded(bytes, format, name)
  throw other
    ? new LucidexError('FORMAT_UNSUPPORTED', `${other} files are not read`, { path: name })
    : new LucidexError('FORMAT_UNKNOWN', 'This is not a picture of a known format', { path: name })
}

/** What the image library reads by itself. */
async function openCoded(bytes: Uint8Array, format: SharpFormat, name: string | undefined): Promise<OpenedPicture> {
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((thrown: unknown) => {
      throw decodeFailure(thrown, bytes, format, name)
    })
  const { width, height } = header.autoOrient
  const pixels = { format, bytes: async () => bytes }
  return { bytes, name, format, header, width, height, exif: exifOf(header, bytes, format), notes: [], pixels }
}

/** A RAW file's preview stands for it; its own directories know better what was photographed. */
function openRaw(bytes: Uint8Array, name: string | undefined): Promise<OpenedPicture> | undefined {
  const raw = readRawPreview(bytes, name)
  return (
    raw &&
    openCoded(raw.jpeg, 'jpeg', name).then((preview) => ({
      ...preview,
      bytes,
      format: raw.format,
      exif: raw.exif ?? preview.exif,
      notes: [
        `The preview in the ${raw.format.toUpperCase()} file is taken, ${preview.width} × ${preview.height} pixels: the sensor’s data are not developed.`,
      ],
    }))
  )
}

async function openHeic(bytes: Uint8Array, name: string | undefined): Promise<OpenedPicture> {
  const file = await openHeif(bytes, name)
  const { width, height, bitDepth, hasAlpha, icc, exif, pages } = file
  return {
    bytes,
    name,
    format: 'heic',
    header: {
      space: bitDepth === 16 ? 'rgb16' : 'srgb',
      channels: hasAlpha ? 4 : 3,
      depth: bitDepth === 16 ? 'ushort' : 'uchar',
      hasAlpha,
      icc: icc && Buffer.from(icc),
      xmp: file.xmp && Buffer.from(file.xmp),
      pages,
    },
    width,
    height,
    exif,
    notes: file.unknownColours ? [`The colours (${file.unknownColours} of ITU-T H.273) are taken for sRGB.`] : [],
    pixels: { format: 'png', bytes: () => file.toPng() },
  }
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
 * What `steps` make of the opened picture's first page, upright. Damage that costs pixels fails the decoding; what a
 * decoder only remarks upon does not, because such files are everywhere. Errors: PICTURE_CORRUPT, PICTURE_TRUNCATED,
 * PICTURE_TOO_LARGE.
 */
export async function decode(
  picture: OpenedPicture,
  options: { ignoreIcc: boolean },
  steps: (pipeline: Sharp) => Sharp,
): Promise<{ data: Buffer; info: OutputInfo }> {
  const { format } = picture.pixels
  const bytes = await picture.pixels.bytes()
  try {
    const pipeline = sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, autoOrient: true, ...options })
    return await steps(pipeline).toBuffer({ resolveWithObject: true })
  } catch (thrown) {
    throw decodeFailure(thrown, bytes, format, picture.name)
  }
}
