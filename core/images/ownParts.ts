import type { PictureFormat } from './formats.ts'

/** What of a file belongs to its format alone and is no pixels. */
export interface OwnParts {
  /** Whole chunks or segments, to be written back into a file of the same format. */
  parts: Uint8Array[]
  /** Pixels an inch, where a JPEG's JFIF header says so. */
  density?: number
  /** Further pictures in the file (multi-picture format): an HDR gain map, previews. */
  morePictures: boolean
  /** Samples are stored without loss, where the format has both ways. */
  lossless: boolean
}

/**
 * PNG chunks that stay true when only the samples change: the colour space where no profile says it, the
 * resolution, text. Everything else is the encoder's or is carried as metadata.
 */
const PNG_KEPT = new Set(['cICP', 'gAMA', 'cHRM', 'sRGB', 'pHYs', 'tEXt', 'zTXt', 'iTXt', 'tIME'])

/** Reads them; what is malformed is left out. Never throws. */
export function ownParts(bytes: Uint8Array, format: PictureFormat): OwnParts {
  if (format === 'png') return { parts: pngChunks(bytes), morePictures: false, lossless: true }
  if (format === 'jpeg') return { ...jpegSegments(bytes), lossless: false }
  // A gain map in AVIF is a derived image of type `tmap`, which the file type box announces (ISO/IEC 23008-12:2024).
  if (format === 'avif') return { parts: [], morePictures: ascii(bytes, 8, 64).includes('tmap'), lossless: false }
  return { parts: [], morePictures: false, lossless: format === 'webp' && ascii(bytes, 12, 16) === 'VP8L' }
}

function pngChunks(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kept: Uint8Array[] = []
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = ascii(bytes, at + 4, at + 8)
    const end = at + 12 + view.getUint32(at)
    if (end > bytes.length) break
    // XMP and IPTC travel as metadata.
    const carried = /^(XML:com\.adobe\.xmp|Raw profile type iptc)\0/.test(ascii(bytes, at + 8, at + 32))
    if (PNG_KEPT.has(type) && !carried) kept.push(bytes.slice(at, end))
  }
  return kept
}

/** The JFIF header's resolution, comments, and whether there is an index of further pictures (CIPA DC-007, 5.1). */
function jpegSegments(bytes: Uint8Array): Omit<OwnParts, 'lossless'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: Uint8Array[] = []
  let morePictures = false
  let density: number | undefined
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda /* SOS */; at += 2 + view.getUint16(at + 2)) {
    const end = at + 2 + view.getUint16(at + 2)
    if (bytes[at + 1] === 0xe0 && ascii(bytes, at + 4, at + 9) === 'JFIF\0' && end >= at + 16) {
      const [unit, perUnit] = [bytes[at + 11], view.getUint16(at + 12)]
      if ((unit === 1 || unit === 2) && perUnit > 0) density = unit === 1 ? perUnit : perUnit * 2.54
    }
    if (bytes[at + 1] === 0xfe /* COM */ && end <= bytes.length) parts.push(bytes.slice(at, end))
    if (bytes[at + 1] === 0xe2 && ascii(bytes, at + 4, at + 8) === 'MPF\0') morePictures = true
  }
  return { parts, morePictures, density }
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}

/** A profile that a PNG holds as text (ImageMagick's form: name, length, hexadecimal lines). */
export function rawProfile(texts: readonly { keyword: string; text: string }[] | undefined, name: string): Uint8Array | undefined {
  const found = texts?.find(({ keyword }) => keyword === `Raw profile type ${name}`)
  const match = found && /^\s*\w+\s+(\d+)\s+([0-9a-f\s]*)$/i.exec(found.text)
  if (!match) return undefined
  const bytes = Buffer.from(match[2]!.replace(/\s/g, ''), 'hex')
  return bytes.length === Number(match[1]) ? bytes : undefined
}
