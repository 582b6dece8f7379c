import { extname } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { LucidexError } from '../contract/errors.ts'
import type { OutputSettings } from '../contract/index.ts'
import { embedInJpeg, embedInPng, embedInTiff, embedInWebp, type EmbeddedTags } from './embed.ts'
import { uprightExif, uprightXmp } from './exif.ts'
import { writeFileAtomic, type WriteOptions } from './files.ts'
import { inSlices } from '../slices.ts'
import { formatOfExtension, holds16Bit, isWritable, type OutputFormat } from './formats.ts'
import { fromSamples, withBitDepth } from './picture.ts'
import type { Picture } from './types.ts'

export type WriteSettings = Pick<OutputSettings, 'format' | 'bitDepth' | 'quality'>

/** What a picture is written as, decided before any work is done on it. */
export interface OutputPlan {
  format: OutputFormat
  bitDepth: 8 | 16
  notes: string[]
}

/**
 * The format and depth for a source of `source.format` and `source.bitDepth`. With `keep` the source's
 * own format (TIFF where that cannot be written), unless the output's name asks for another by its
 * extension. Errors: BIT_DEPTH_UNSUPPORTED when 16 bits are asked of a format that has 8.
 */
export function planOutput(source: Pick<Picture, 'format' | 'bitDepth'>, settings: WriteSettings, path?: string): OutputPlan {
  const notes: string[] = []
  let format: OutputFormat
  const named = path === undefined ? undefined : formatOfExtension(extname(path))
  if (settings.format !== 'keep') format = settings.format
  else if (named && isWritable(named)) format = named
  else if (isWritable(source.format)) format = source.format
  else {
    format = 'tiff'
    notes.push(`${source.format.toUpperCase()} is not written: saved as TIFF.`)
  }
  if (settings.bitDepth === '16' && !holds16Bit(format)) {
    throw new LucidexError('BIT_DEPTH_UNSUPPORTED', `${format.toUpperCase()} files hold 8 bits a sample: choose PNG or TIFF for 16`)
  }
  const wanted = settings.bitDepth === 'keep' ? source.bitDepth : settings.bitDepth === '16' ? 16 : 8
  const bitDepth = holds16Bit(format) ? wanted : 8
  if (source.bitDepth === 16 && bitDepth === 8 && settings.bitDepth === 'keep')
    notes.push(`${format.toUpperCase()} holds 8 bits a sample: saved with 8.`)
  return { format, bitDepth, notes }
}

/**
 * Writes a picture whole or not at all. The profile is attached as it is and the samples are not
 * converted to it; EXIF and XMP are kept, their orientation set to 1 because the pixels are upright,
 * and EXIF's own thumbnail is left out. JPEG and AVIF are written without chroma subsampling; 16-bit PNG
 * and TIFF (deflate) hold the samples exactly.
 *
 * @param settings.quality 1..100, of JPEG, WebP and AVIF
 * Errors: BIT_DEPTH_UNSUPPORTED, PICTURE_TOO_LARGE (for the format), FILE_EXISTS (without `overwrite`),
 * FILE_NOT_WRITABLE, DISK_FULL.
 */
export async function writePicture(
  picture: Picture,
  path: string,
  settings: WriteSettings,
  options: WriteOptions = { overwrite: false },
): Promise<{ path: string; notes: string[] }> {
  const plan = planOutput(picture, settings, path)
  const { parts, notes } = await encodePicture(picture, plan, settings.quality)
  await writeFileAtomic(path, parts, options)
  return { path, notes: [...plan.notes, ...notes] }
}

/** The longest side of each format, where it is shorter than any picture. */
const SIDE_MAX: Partial<Record<OutputFormat, number>> = { jpeg: 65_535, webp: 16_383, avif: 16_384 }

/**
 * Larger JPEGs are written with the usual Huffman tables: their own, a tenth smaller at best, cost all
 * coefficients in memory, 11 bytes a pixel.
 */
const OPTIMISED_MAX = 40_000_000

/** The bytes of the file, in parts. Errors: PICTURE_TOO_LARGE. */
async function encodePicture(picture: Picture, plan: OutputPlan, quality: number): Promise<{ parts: Uint8Array[]; notes: string[] }> {
  const { format } = plan
  const limit = SIDE_MAX[format]
  if (limit !== undefined && Math.max(picture.width, picture.height) > limit) {
    throw new LucidexError('PICTURE_TOO_LARGE', `${format.toUpperCase()} holds at most ${limit} pixels a side`)
  }
  const notes: string[] = []
  // What was stored without loss stays so.
  const lossless = format === picture.format && picture.lossless === true
  const tags = uprightTags(picture, format, notes)
  const samples = await withBitDepth(picture, plan.bitDepth)
  const hasAlpha = picture.channels === 2 || picture.channels === 4
  const pixels = fromSamples(samples)
  // These two have no grey: the profile of a grey picture would not fit the RGB they store.
  if ((format === 'webp' || format === 'avif') && picture.channels < 3) {
    pixels.toColourspace('srgb')
    if (tags.icc) {
      delete tags.icc
      notes.push(`The grey profile does not fit ${format.toUpperCase()} and is left out.`)
    }
  }
  const optimiseCoding = picture.width * picture.height <= OPTIMISED_MAX
  const { parts, left } = await encode()
  for (const name of left) notes.push(`${name} does not fit ${format.toUpperCase()} and is left out.`)
  return { parts, notes }

  async function encode(): Promise<{ parts: Uint8Array[]; left: string[] }> {
    switch (format) {
      case 'jpeg':
        if (hasAlpha) {
          pixels.flatten({ background: '#ffffff' })
          notes.push('JPEG has no transparency: flattened on white.')
        }
        return embedInJpeg(await pixels.jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding }).toBuffer(), tags)
      case 'png':
        return embedInPng(await pixels.png({ compressionLevel: 6, adaptiveFiltering: true }).toBuffer(), tags)
      case 'tiff':
        return embedInTiff(await pixels.tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer(), tags)
      case 'webp':
        return embedInWebp(await pixels.webp(lossless ? { lossless, effort: 3 } : { quality, effort: 3 }).toBuffer(), tags, {
          width: picture.width,
          height: picture.height,
          hasAlpha,
        })
      case 'avif': {
        const { bytes, left } = await carrier(pixels, tags)
        const encoder = sharp(bytes, { limitInputPixels: false }).keepIccProfile().keepExif().keepXmp()
        // A greater effort takes four times as long for a file that is no smaller.
        return {
          parts: [await encoder.avif({ quality, effort: 1, chromaSubsampling: '4:4:4' }).toBuffer()],
          left: tags.iptc ? ['IPTC', ...left] : left,
        }
      }
    }
  }
}

/** AVIF's container is its encoder's own business: that takes the metadata from an uncompressed PNG. Copied in slices. */
async function carrier(pixels: Sharp, tags: EmbeddedTags): Promise<{ bytes: Buffer; left: string[] }> {
  const { parts, left } = embedInPng(await pixels.png({ compressionLevel: 0 }).toBuffer(), tags)
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    await inSlices(part.length, (start, end) => bytes.set(part.subarray(start, end), at + start), 2 * 2 ** 20)
    at += part.length
  }
  return { bytes, left }
}

function uprightTags(picture: Picture, format: OutputFormat, notes: string[]): EmbeddedTags {
  const { icc, xmp, iptc } = picture.tags
  const exif = picture.tags.exif && uprightExif(picture.tags.exif, picture.width, picture.height)
  if (picture.tags.exif && !exif) notes.push('The EXIF block is damaged and is left out.')
  return {
    ...(icc && { icc }),
    ...(exif && { exif }),
    ...(xmp && { xmp: uprightXmp(xmp) }),
    ...(iptc && { iptc }),
    ...(picture.density && { density: picture.density }),
    ...(picture.ownParts && format === picture.format && { ownParts: picture.ownParts }),
  }
}
