/**
 * Readers of PNG, TIFF, JPEG and WebP that share nothing with the code under test: no libvips, no module of core.
 * They understand what the writers under test write, and throw at anything else.
 */
import { crc32, inflateSync } from 'node:zlib'

export interface ReadBack {
  width: number
  height: number
  channels: number
  bitDepth: 8 | 16
  /** Interleaved samples; undefined for the lossy formats, whose pixels are not compared. */
  samples?: Uint8Array | Uint16Array
  icc?: Buffer
  /** Begins with its TIFF header. */
  exif?: Buffer
  xmp?: string
  iptc?: Buffer
  /** EXIF and GPS directories, or the TIFF's own: numbers, or text for ASCII. */
  tags: Map<number, number[] | string>
}

/** PNG (W3C, third edition): not interlaced, 8 or 16 bits. Checks every chunk's CRC. */
export function readPng(file: Buffer): ReadBack {
  if (file.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') throw new Error('no PNG')
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at)
    const data = file.subarray(at + 8, at + 8 + length)
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== file.readUInt32BE(at + 8 + length)) throw new Error('wrong CRC')
    chunks.push({ type: file.toString('latin1', at + 4, at + 8), data })
    at += 12 + length
  }
  const find = (type: string) => chunks.find((chunk) => chunk.type === type)?.data
  const header = find('IHDR')!
  const [width, height, depth, colour] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8]!, header[9]!]
  if ((depth !== 8 && depth !== 16) || header[12] !== 0) throw new Error('a PNG of another kind')
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[colour]
  if (channels === undefined) throw new Error(`colour type ${colour}`)
  const pixel = (channels * depth) / 8
  const rows = unfilter(
    inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))),
    width * pixel,
    pixel,
  )
  const profile = find('iCCP')
  const texts = chunks.filter(({ type }) => type === 'iTXt').map(({ data }) => data.toString('utf8'))
  const raw = chunks.find(({ type, data }) => type === 'zTXt' && data.toString('latin1').startsWith('Raw profile type iptc\0'))
  const exif = find('eXIf')
  return {
    width,
    height,
    channels,
    bitDepth: depth,
    samples: depth === 8 ? new Uint8Array(rows) : Uint16Array.from({ length: rows.length / 2 }, (_, index) => rows.readUInt16BE(index * 2)),
    ...(profile && { icc: inflateSync(profile.subarray(profile.indexOf(0) + 2)) }),
    ...(exif && { exif }),
    ...(texts[0] && { xmp: texts[0].slice('XML:com.adobe.xmp\0\0\0\0\0'.length) }),
    ...(raw && { iptc: hexProfile(inflateSync(raw.data.subarray('Raw profile type iptc\0\0'.length)).toString('latin1')) }),
    tags: exif ? readTags(exif) : new Map(),
  }
}

function hexProfile(text: string): Buffer {
  const [, , length = '', ...lines] = text.split('\n')
  const bytes = Buffer.from(lines.join(''), 'hex')
  if (bytes.length !== Number(length)) throw new Error('a profile of another length')
  return bytes
}

/** Undoes the five filters of PNG (9.2). */
function unfilter(data: Buffer, row: number, pixel: number): Buffer {
  const height = data.length / (row + 1)
  const out = Buffer.alloc(height * row)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (row + 1)]!
    for (let x = 0; x < row; x++) {
      const left = x >= pixel ? out[y * row + x - pixel]! : 0
      const up = y > 0 ? out[(y - 1) * row + x]! : 0
      const corner = x >= pixel && y > 0 ? out[(y - 1) * row + x - pixel]! : 0
      const guess = left + up - corner
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner
      const add = [0, left, up, (left + up) >> 1, paeth][filter]
      if (add === undefined) throw new Error(`filter ${filter}`)
      out[y * row + x] = data[y * (row + 1) + 1 + x]! + add
    }
  }
  return out
}

/** TIFF 6.0: little-endian, strips, deflate, horizontal predictor. */
export function readTiff(file: Buffer): ReadBack {
  const tags = readTags(file)
  const number = (id: number) => (tags.get(id) as number[] | undefined)?.[0]
  const [width, height, channels = 1, depth = 1] = [number(256)!, number(257)!, number(277), number(258)]
  if (number(259) !== 8 && number(259) !== 32_946) throw new Error('not deflate')
  if ((depth !== 8 && depth !== 16) || (number(284) ?? 1) !== 1) throw new Error('a TIFF of another kind')
  const [offsets, counts] = [tags.get(273) as number[], tags.get(279) as number[]]
  const bytes = Buffer.concat(offsets.map((offset, strip) => inflateSync(file.subarray(offset, offset + counts[strip]!))))
  const samples =
    depth === 8 ? new Uint8Array(bytes) : Uint16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(index * 2))
  if (number(317) === 2) {
    for (let y = 0; y < height; y++) {
      for (let index = channels; index < width * channels; index++)
        samples[y * width * channels + index]! += samples[y * width * channels + index - channels]!
    }
  }
  const block = (id: number) => (tags.has(id) ? Buffer.from(tags.get(id) as number[]) : undefined)
  const [icc, xmp, iptc] = [block(34_675), block(700), block(33_723)]
  return {
    width,
    height,
    channels,
    bitDepth: depth,
    samples,
    ...(icc && { icc }),
    ...(xmp && { xmp: xmp.toString('utf8') }),
    ...(iptc && { iptc }),
    tags,
  }
}

/** JPEG (ITU-T T.81): its segments, not its pixels. */
export function readJpeg(file: Buffer): ReadBack & { sampling: string; segments: number[] } {
  const found = { icc: [] as Buffer[], segments: [] as number[] }
  const back: Partial<ReadBack> = {}
  let [width, height, channels, sampling] = [0, 0, 0, '']
  if (file.readUInt16BE(0) !== 0xffd8) throw new Error('no JPEG')
  for (let at = 2; file[at + 1] !== 0xda;) {
    if (file[at] !== 0xff) throw new Error('no marker')
    const marker = file[at + 1]!
    const data = file.subarray(at + 4, at + 2 + file.readUInt16BE(at + 2))
    const starts = (text: string) => data.toString('latin1', 0, text.length) === text
    found.segments.push(marker)
    if (marker === 0xe1 && starts('Exif\0\0')) back.exif = data.subarray(6)
    if (marker === 0xe1 && starts('http://ns.adobe.com/xap/1.0/\0')) back.xmp = data.toString('utf8', 29)
    if (marker === 0xe2 && starts('ICC_PROFILE\0')) found.icc[data[12]! - 1] = data.subarray(14)
    if (marker === 0xed) back.iptc = data
    if (marker >= 0xc0 && marker <= 0xc2) {
      ;[height, width, channels] = [data.readUInt16BE(1), data.readUInt16BE(3), data[5]!]
      sampling = Array.from({ length: channels }, (_, index) => data[7 + index * 3]!.toString(16)).join()
    }
    at += 2 + file.readUInt16BE(at + 2)
  }
  return {
    width,
    height,
    channels,
    bitDepth: 8,
    sampling,
    segments: found.segments,
    ...(found.icc.length > 0 && { icc: Buffer.concat(found.icc) }),
    ...back,
    tags: back.exif ? readTags(back.exif) : new Map(),
  }
}

/** WebP (RFC 9649): its chunks, not its pixels. */
export function readWebp(file: Buffer): ReadBack {
  if (file.toString('latin1', 8, 16) !== 'WEBPVP8X') throw new Error('not an extended WebP')
  const chunks = new Map<string, Buffer>()
  for (let at = 12; at < file.length;) {
    const length = file.readUInt32LE(at + 4)
    chunks.set(file.toString('latin1', at, at + 4), file.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length & 1)
  }
  const features = chunks.get('VP8X')!
  const [icc, exif, xmp] = [chunks.get('ICCP'), chunks.get('EXIF'), chunks.get('XMP ')]
  return {
    width: features.readUIntLE(4, 3) + 1,
    height: features.readUIntLE(7, 3) + 1,
    channels: (features[0]! & 0x10) === 0 ? 3 : 4,
    bitDepth: 8,
    ...(icc && { icc }),
    ...(exif && { exif }),
    ...(xmp && { xmp: xmp.toString('utf8') }),
    tags: exif ? readTags(exif) : new Map(),
  }
}

const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]

/** All tags of the first directory of a TIFF or an EXIF block, and of the EXIF and GPS directories below it. A second directory (the thumbnail's) is tag -1. */
export function readTags(block: Buffer): Map<number, number[] | string> {
  const little = block.toString('latin1', 0, 2) === 'II'
  const u16 = (at: number) => (little ? block.readUInt16LE(at) : block.readUInt16BE(at))
  const u32 = (at: number) => (little ? block.readUInt32LE(at) : block.readUInt32BE(at))
  if (u16(2) !== 42) throw new Error('no TIFF header')
  const tags = new Map<number, number[] | string>()
  read(u32(4), true)
  return tags

  function read(directory: number, first: boolean): void {
    const count = u16(directory)
    for (let at = directory + 2; at < directory + 2 + count * 12; at += 12) {
      const [id, type, values] = [u16(at), u16(at + 2), u32(at + 4)]
      const size = SIZES[type]!
      const start = size * values <= 4 ? at + 8 : u32(at + 8)
      const value = (index: number) => {
        const from = start + index * size
        if (size === 1) return block[from]!
        if (size === 2) return u16(from)
        return size === 4 ? u32(from) : u32(from) / u32(from + 4)
      }
      if (id === 34_665 || id === 34_853) read(u32(at + 8), false)
      else
        tags.set(
          id,
          type === 2 ? block.toString('utf8', start, start + values - 1) : Array.from({ length: values }, (_, index) => value(index)),
        )
    }
    const next = directory + 2 + count * 12
    if (first && next + 4 <= block.length && u32(next) !== 0) tags.set(-1, [u32(next)])
  }
}
