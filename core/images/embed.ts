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
    if (Buffer.from(tags.iptc.subarray(0, 14)).toString('latin1') === 'Photoshop 3.0\0') segment(0xed, 'IPTC', tags.iptc)
    else left.push('IPTC')
  }
  // JFIF wants its APP0 first; EXIF readers accept theirs right behind it.
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const start = view.getUint16(2) === 0xffe0 ? 4 + view.getUint16(4) : 2
  return { parts: [file.subarray(0, start), ...segments, file.subarray(start)], left }
}

/** PNG: iCCP, eXIf and iTXt chunks behind the header (W3C PNG third edition, 11.3). */
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
  const start = 8 + 25
  return { parts: [file.subarray(0, start), ...chunks, file.subarray(start)], left: tags.iptc ? ['IPTC'] : [] }
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
  const records = tags.iptc?.[0] === 0x1c ? tags.iptc : undefined
  if (records) image.set(TAG.iptc, makeTag(TAG.iptc, 7, records))

  const padding = new Uint8Array(file.length & 1)
  const { parts, first } = writeTagBlock(
    { image: [...image.values()], exif: block?.exif ?? [], gps: block?.gps ?? [] },
    file.length + padding.length,
  )
  const head = Buffer.from(file.subarray(0, 8))
  head.writeUInt32LE(first, 4)
  return { parts: [head, file.subarray(8), padding, ...parts], left: tags.iptc && !records ? ['IPTC'] : [] }
}
