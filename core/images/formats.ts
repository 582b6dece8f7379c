import type { OutputSettings } from '../contract/index.ts'

/** The formats that the image library reads by itself. */
export type SharpFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'
/** Cameras' own files, of which the embedded preview is read. */
export type RawFormat = 'cr2' | 'cr3' | 'nef' | 'arw' | 'dng' | 'orf' | 'rw2' | 'raf'
/** The formats that are read. */
export type PictureFormat = SharpFormat | 'heic' | RawFormat
/** The formats that are written. */
export type OutputFormat = Exclude<OutputSettings['format'], 'keep'>

const EXTENSIONS: Record<PictureFormat, readonly string[]> = {
  jpeg: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  png: ['.png'],
  webp: ['.webp'],
  avif: ['.avif'],
  tiff: ['.tif', '.tiff'],
  gif: ['.gif'],
  heic: ['.heic', '.heif', '.hif'],
  cr2: ['.cr2'],
  cr3: ['.cr3'],
  nef: ['.nef'],
  arw: ['.arw'],
  dng: ['.dng'],
  orf: ['.orf'],
  rw2: ['.rw2'],
  raf: ['.raf'],
}

/** Lower-case extensions, with dot, of the files that are taken for pictures. The content decides in the end. */
export const READABLE_EXTENSIONS: ReadonlySet<string> = new Set(Object.values(EXTENSIONS).flat())

/** The usual extension of a format, with dot. */
export function extensionOf(format: OutputFormat): string {
  return EXTENSIONS[format][0]!
}

/** The format that an extension (with dot, any case) stands for. */
export function formatOfExtension(extension: string): PictureFormat | undefined {
  const wanted = extension.toLowerCase()
  return (Object.keys(EXTENSIONS) as PictureFormat[]).find((format) => EXTENSIONS[format].includes(wanted))
}

export function isWritable(format: string): format is OutputFormat {
  return format === 'png' || format === 'jpeg' || format === 'tiff' || format === 'webp' || format === 'avif'
}

/** Whether a format can hold 16 bits a sample. */
export function holds16Bit(format: OutputFormat): boolean {
  return format === 'png' || format === 'tiff'
}

/** Known formats that are told apart by name but not read. */
type OtherFormat = 'JPEG XL' | 'JPEG 2000' | 'BMP' | 'PDF' | 'Photoshop' | 'SVG'

/**
 * The format that a file's first bytes announce; RAW files built like TIFF pass for TIFF here. Everything else is kept away from the decoders:
 * a loader is never chosen by trial on untrusted bytes.
 */
export function sniffFormat(bytes: Uint8Array): { format?: SharpFormat | 'heic'; other?: OtherFormat } {
  const ascii = (start: number, end: number) => String.fromCharCode(...bytes.subarray(start, end))
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return { format: 'jpeg' }
  if (ascii(0, 8) === '\x89PNG\r\n\x1a\n') return { format: 'png' }
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP') return { format: 'webp' }
  if (ascii(0, 6) === 'GIF87a' || ascii(0, 6) === 'GIF89a') return { format: 'gif' }
  // Classic and Big TIFF, in both byte orders.
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(ascii(0, 4))) return { format: 'tiff' }
  if (ascii(4, 8) === 'ftyp') {
    // The major brand, then the compatible ones after the version (ISO/IEC 14496-12, 4.3).
    const size = Math.min(((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0), 256)
    const brands = ascii(8, 12) + ascii(16, size)
    if (/avif|avis/.test(brands)) return { format: 'avif' }
    if (/heic|heix|hevc|hevx|mif1|heim|heis/.test(brands)) return { format: 'heic' }
  }
  if ((bytes[0] === 0xff && bytes[1] === 0x0a) || ascii(4, 8) === 'JXL ') return { other: 'JPEG XL' }
  if (ascii(4, 8) === 'jP  ') return { other: 'JPEG 2000' }
  if (ascii(0, 4) === '8BPS') return { other: 'Photoshop' }
  if (ascii(0, 5) === '%PDF-') return { other: 'PDF' }
  if (ascii(0, 2) === 'BM' && bytes[6] === 0 && bytes[7] === 0 && bytes[8] === 0 && bytes[9] === 0) return { other: 'BMP' }
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/.test(ascii(0, 512))) return { other: 'SVG' }
  return {}
}
