/**
 * Metadata put into finished files: the encoders write pixels only, then the profile, EXIF and XMP are
 * spliced in byte for byte. (sharp's own way converts the pixels to the profile it attaches and
 * rewrites EXIF.) Every function answers the file as parts in order, so that nothing large is copied.
 */
import { crc32, deflateSync } from 'node:zlib'
import { descriptiveTags } from './exif.ts'
import { makeTag, readDirectory, readTagBlock, TAG, writeTagBlock, type Tag } from './tiffTags.ts'

export interface EmbeddedTags {
  icc?: Uint8Array
  /** Begins with its TIFF header. */
  exif?: Uint8Array
  xmp?: Uint8Array
  /** A JPEG's whole Photoshop block, or a TIFF's IPTC records. */
  iptc?: Uint8Array
  /** Pixels an inch. */
  density?: number
  /** Chunks or segments of this very format, written as they are. */
  ownParts?: readonly Uint8Array[]
}

const ascii = (text: string) => Buffer.from(text, 'latin1')

/** The largest payload of a JPEG segment. */
const SEGMENT_MAX = 65_533

/**
 * JPEG: APP1 (EXIF 3.0, 4.7.2; XMP part 3, 1.1.3), APP2 (ICC.1:2022, B.4), APP13, behind the JFIF header.
 * `left` names what does not fit a segment.
 */
export function embedInJpeg(file: Uint8Array, tags: EmbeddedTags): { parts: Uint8Array[]; left: string[] } {
  const left: string[] = []
  const segments: Uint8Array[] = []
  const segment = (marker: number, name: string, ...payload: Uint8Array[]) => {
    const size = payload.reduce((sum, part) => sum + part.length, 0)
    if (size > SEGMENT_MAX) {
      left.push(name)
      return
    }
    const head = Buffer.from([0xff, marker, 0, 0])
    head.writeUInt16BE(size + 2, 2)
    segments.push(head, ...payload)
  }
  if (tags.density) {
    const perInch = Buffer.alloc(4)
    perInch.writeUInt16BE(Math.min(65_535, Math.round(tags.density)), 0)
    perInch.writeUInt16BE(Math.min(65_535, Math.round(tags.density)), 2)
    segment(0xe0, 'resolution', ascii('JFIF\0'), Buffer.from([1, 2, 1]), perInch, Buffer.from([0, 0]))
  }
  if (tags.exif) segment(0xe1, 'EXIF', ascii('Exif\0\0'), tags.exif)
  if (tags.xmp) segment(0xe1, 'XMP', ascii('http://ns.adobe.com/xap/1.0/\0'), tags.xmp)
  if (tags.icc) {
    const room = SEGMENT_MAX - 14
    const count = Math.ceil(tags.icc.length / room)
    for (let index = 0; index < count; index++) {
      segment(0xe2, 'ICC', ascii('ICC_PROFILE\0'), Buffer.from([index + 1, count]), tags.icc.subarray(index * room, (index + 1) * room))
    }
  }
  if (tags.iptc) {
    segment(0xed, 'IPTC', photoshopBlock(tags.iptc))
  }
  segments.push(...(tags.ownParts ?? []))
  // JFIF wants its APP0 first; EXIF readers accept theirs right behind it.
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const written = view.getUint16(2) === 0xffe0 ? 4 + view.getUint16(4) : 2
  const head = tags.density ? file.subarray(0, 2) : file.subarray(0, written)
  return { parts: [head, ...segments, file.subarray(written)], left }
}

/**
 * PNG: iCCP, eXIf, iTXt and pHYs chunks behind the header (W3C PNG third edition, 11.3). IPTC has no chunk of
 * its own: it goes where ImageMagick and ExifTool look for it, into a text named "Raw profile type iptc".
 */
export function embedInPng(file: Uint8Array, tags: EmbeddedTags): { parts: Uint8Array[]; left: string[] } {
  const chunks: Uint8Array[] = []
  const chunk = (type: string, payload: Uint8Array) => {
    const bytes = Buffer.alloc(12 + payload.length)
    bytes.writeUInt32BE(payload.length, 0)
    bytes.set(ascii(type), 4)
    bytes.set(payload, 8)
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + payload.length)), 8 + payload.length)
    chunks.push(bytes)
  }
  if (tags.icc) chunk('iCCP', Buffer.concat([ascii('ICC profile\0\0'), deflateSync(tags.icc)]))
  if (tags.exif) chunk('eXIf', tags.exif)
  if (tags.xmp) chunk('iTXt', Buffer.concat([ascii('XML:com.adobe.xmp\0\0\0\0\0'), tags.xmp]))
  if (tags.iptc) chunk('zTXt', Buffer.concat([ascii('Raw profile type iptc\0\0'), deflateSync(rawProfile(photoshopBlock(tags.iptc)))]))
  const own = tags.ownParts ?? []
  if (tags.density && !own.some((part) => ascii('pHYs').equals(part.subarray(4, 8)))) {
    const perMetre = Buffer.alloc(9)
    perMetre.writeUInt32BE(Math.round(tags.density / 0.0254), 0)
    perMetre.writeUInt32BE(Math.round(tags.density / 0.0254), 4)
    perMetre[8] = 1
    chunk('pHYs', perMetre)
  }
  const start = 8 + 25
  return { parts: [file.subarray(0, start), ...chunks, ...own, file.subarray(start)], left: [] }
}

/** WebP: the extended layout with ICCP, EXIF and XMP chunks (RFC 9649, 2.7). */
export function embedInWebp(
  file: Uint8Array,
  tags: EmbeddedTags,
  size: { width: number; height: number; hasAlpha: boolean },
): { parts: Uint8Array[]; left: string[] } {
  const chunk = (type: string, payload: Uint8Array): Uint8Array[] => {
    const head = Buffer.concat([ascii(type), Buffer.alloc(4)])
    head.writeUInt32LE(payload.length, 4)
    return payload.length & 1 ? [head, payload, Buffer.alloc(1)] : [head, payload]
  }
  const features = Buffer.alloc(10)
  features[0] = (tags.icc ? 0x20 : 0) | (size.hasAlpha ? 0x10 : 0) | (tags.exif ? 0x08 : 0) | (tags.xmp ? 0x04 : 0)
  features.writeUIntLE(size.width - 1, 4, 3)
  features.writeUIntLE(size.height - 1, 7, 3)
  // What the encoder wrote, less its own extended header: "ALPH" and "VP8 ", or "VP8L".
  const start = Buffer.from(file.subarray(12, 16)).toString('latin1') === 'VP8X' ? 30 : 12
  const body = [
    ...chunk('VP8X', features),
    ...(tags.icc ? chunk('ICCP', tags.icc) : []),
    file.subarray(start),
    ...(tags.exif ? chunk('EXIF', tags.exif) : []),
    ...(tags.xmp ? chunk('XMP ', tags.xmp) : []),
  ]
  const head = Buffer.concat([ascii('RIFF'), Buffer.alloc(4), ascii('WEBP')])
  head.writeUInt32LE(
    body.reduce((sum, part) => sum + part.length, 4),
    4,
  )
  return { parts: [head, ...body], left: tags.iptc ? ['IPTC'] : [] }
}

/**
 * TIFF: a new first directory at the end of the file, which has the old one's entries, the profile, XMP
 * and IPTC, and the EXIF block's directories (TIFF 6.0; EXIF 3.0, 4.6.3). Makers' notes are carried
 * as they are: those that hold absolute offsets lose what these point to.
 */
export function embedInTiff(file: Uint8Array, tags: EmbeddedTags): { parts: Uint8Array[]; left: string[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const written = readDirectory(view, view.getUint32(4, true), true)
  if (view.getUint16(0) !== 0x4949 || !written) throw new Error('not the TIFF that the encoder writes')
  const block = tags.exif && readTagBlock(tags.exif)
  const image = new Map<number, Tag>(written.tags.map((tag) => [tag.id, tag]))
  for (const tag of descriptiveTags(block?.image ?? [])) image.set(tag.id, tag)
  if (tags.icc) image.set(TAG.icc, makeTag(TAG.icc, 7, tags.icc))
  if (tags.xmp) image.set(TAG.xmp, makeTag(TAG.xmp, 1, tags.xmp))
  const records = tags.iptc && iptcRecords(tags.iptc)
  if (records) image.set(TAG.iptc, makeTag(TAG.iptc, 7, records))
  if (tags.density && !block?.image.some(({ id }) => id === TAG.xResolution)) {
    const perInch = Buffer.alloc(8)
    perInch.writeUInt32LE(Math.round(tags.density * 1000), 0)
    perInch.writeUInt32LE(1000, 4)
    image.set(TAG.xResolution, makeTag(TAG.xResolution, 5, perInch))
    image.set(TAG.yResolution, makeTag(TAG.yResolution, 5, perInch))
    image.set(TAG.resolutionUnit, makeTag(TAG.resolutionUnit, 3, Buffer.from([2, 0])))
  }

  const padding = new Uint8Array(file.length & 1)
  const { parts, first } = writeTagBlock(
    { image: [...image.values()], exif: block?.exif ?? [], gps: block?.gps ?? [] },
    file.length + padding.length,
  )
  const head = Buffer.from(file.subarray(0, 8))
  head.writeUInt32LE(first, 4)
  return { parts: [head, file.subarray(8), padding, ...parts], left: tags.iptc && !records ? ['IPTC'] : [] }
}

const PHOTOSHOP = ascii('Photoshop 3.0\0')
/** The image resource that holds IPTC records (Adobe Photoshop File Formats, "Image Resource IDs"). */
const IPTC_RESOURCE = 0x0404

/** IPTC as JPEG has it: records alone, as TIFF has them, are wrapped as one image resource. */
function photoshopBlock(iptc: Uint8Array): Uint8Array {
  if (PHOTOSHOP.equals(iptc.subarray(0, PHOTOSHOP.length))) return iptc
  const head = Buffer.from([0x38, 0x42, 0x49, 0x4d, IPTC_RESOURCE >> 8, IPTC_RESOURCE & 0xff, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(iptc.length, 8)
  return Buffer.concat([PHOTOSHOP, head, iptc, Buffer.alloc(iptc.length & 1)])
}

/** IPTC as TIFF has it: the records out of a JPEG's Photoshop block; undefined where there are none. */
function iptcRecords(iptc: Uint8Array): Uint8Array | undefined {
  if (iptc[0] === 0x1c) return iptc
  if (!PHOTOSHOP.equals(iptc.subarray(0, PHOTOSHOP.length))) return undefined
  const view = new DataView(iptc.buffer, iptc.byteOffset, iptc.byteLength)
  for (let at = PHOTOSHOP.length; at + 12 <= iptc.length && view.getUint32(at) === 0x3842494d /* 8BIM */;) {
    // The resource's name is padded to an even length with the byte that gives it.
    const sizeAt = at + 6 + ((1 + iptc[at + 6]! + 1) & ~1)
    if (sizeAt + 4 > iptc.length) return undefined
    const size = view.getUint32(sizeAt)
    if (view.getUint16(at + 4) === IPTC_RESOURCE) return iptc.subarray(sizeAt + 4, sizeAt + 4 + size)
    at = sizeAt + 4 + size + (size & 1)
  }
  return undefined
}

/** ImageMagick's text form of a profile: its name, its length, then hexadecimal lines. */
function rawProfile(bytes: Uint8Array): Buffer {
  const lines =
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,72}/g) ?? []
  return ascii(`\niptc\n${String(bytes.length).padStart(8)}\n${lines.join('\n')}\n`)
}
