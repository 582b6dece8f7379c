/** Files that are made to cost more than they are worth: small ones that announce, or unfold into, enormous pictures. */
import { crc32, deflateSync } from 'node:zlib'

export interface Hostile {
  name: string
  bytes: Buffer
}

const ascii = (text: string) => Buffer.from(text, 'latin1')

function uint(value: number, size: 2 | 4, order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.alloc(size)
  if (order === 'LE') bytes.writeUIntLE(value, 0, size)
  else bytes.writeUIntBE(value, 0, size)
  return bytes
}

function pngChunk(type: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat([ascii(type), ...content])
  return Buffer.concat([uint(body.length - 4, 4, 'BE'), body, uint(crc32(body), 4, 'BE')])
}

/** Grey of one bit a pixel: `height` rows of zeros. */
function png(width: number, height: number, { rows = height, extra = [] as Buffer[] } = {}): Buffer {
  const header = Buffer.concat([uint(width, 4, 'BE'), uint(height, 4, 'BE'), Buffer.from([1, 0, 0, 0, 0])])
  const data = deflateSync(Buffer.alloc(rows * (1 + Math.ceil(width / 8))))
  return Buffer.concat([ascii('\x89PNG\r\n\x1a\n'), pngChunk('IHDR', header), ...extra, pngChunk('IDAT', data), pngChunk('IEND')])
}

/** 100 MiB of zeros in some hundred kilobytes. */
const unfolding = () => deflateSync(Buffer.alloc(100 * 2 ** 20))

function tiff(entries: [id: number, type: number, count: number, value: number][], next = 0): Buffer {
  const body = entries.map(([id, type, count, value]) =>
    Buffer.concat([uint(id, 2, 'LE'), uint(type, 2, 'LE'), uint(count, 4, 'LE'), uint(value, 4, 'LE')]),
  )
  return Buffer.concat([ascii('II*\0'), uint(8, 4, 'LE'), uint(entries.length, 2, 'LE'), ...body, uint(next, 4, 'LE')])
}

/** A grey TIFF of one strip that is not there. */
function tiffOf(width: number, height: number): Buffer {
  return tiff([
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 1, 8],
    [259, 3, 1, 5],
    [262, 3, 1, 1],
    [273, 4, 1, 200],
    [277, 3, 1, 1],
    [278, 4, 1, height],
    [279, 4, 1, 100],
  ])
}

function gif(width: number, height: number, frames: number): Buffer {
  const screen = Buffer.concat([
    ascii('GIF89a'),
    uint(width, 2, 'LE'),
    uint(height, 2, 'LE'),
    Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255]),
  ])
  const frame = Buffer.from([
    0x21,
    0xf9,
    4,
    0,
    1,
    0,
    0,
    0,
    0x2c,
    0,
    0,
    0,
    0,
    width & 255,
    width >> 8,
    height & 255,
    height >> 8,
    0,
    2,
    2,
    0x44,
    1,
    0,
  ])
  return Buffer.concat([screen, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])])
}

function webp(width: number, height: number): Buffer {
  const canvas = Buffer.alloc(10)
  canvas[0] = 2
  canvas.writeUIntLE(width - 1, 4, 3)
  canvas.writeUIntLE(height - 1, 7, 3)
  const chunk = (type: string, content: Buffer) => Buffer.concat([ascii(type), uint(content.length, 4, 'LE'), content])
  const body = Buffer.concat([ascii('WEBP'), chunk('VP8X', canvas), chunk('ANIM', Buffer.alloc(6)), chunk('ANMF', Buffer.alloc(24))])
  return Buffer.concat([ascii('RIFF'), uint(body.length, 4, 'LE'), body])
}

/** A real JPEG whose frame header says that it is larger than it is. */
function jpegOf(jpeg: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg)
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]))
  bytes.writeUInt16BE(height, frame + 5)
  bytes.writeUInt16BE(width, frame + 7)
  return bytes
}

/** A real JPEG with an EXIF block of one's own. */
function withExif(jpeg: Buffer, exif: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([0xff, 0xe1]), uint(exif.length + 8, 2, 'BE'), ascii('Exif\0\0')])
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)])
}

/** Too large, all of them, whatever they hold. */
export function absurdSizes(jpeg: Buffer): Hostile[] {
  return [
    { name: 'vast.png', bytes: png(100_000, 100_000, { rows: 1 }) },
    { name: 'vastest.png', bytes: png(2 ** 31 - 1, 2 ** 31 - 1, { rows: 1 }) },
    { name: 'vast.tif', bytes: tiffOf(100_000, 100_000) },
    { name: 'vastest.tif', bytes: tiffOf(2 ** 32 - 1, 2 ** 32 - 1) },
    { name: 'vast.gif', bytes: gif(65_535, 65_535, 1) },
    { name: 'vast.webp', bytes: webp(2 ** 24, 2 ** 24) },
    { name: 'vast.jpg', bytes: jpegOf(jpeg, 65_500, 65_500) },
  ]
}

/** What unfolds, goes round in circles or never ends. Some are pictures after all. */
export function traps(jpeg: Buffer): Hostile[] {
  const many = Array.from({ length: 5000 }, (_, index): [number, number, number, number] => [40_000 + index, 7, 50_000, 8])
  return [
    { name: 'unfolding.png', bytes: png(9000, 9000) },
    { name: 'profile.png', bytes: png(64, 64, { extra: [pngChunk('iCCP', ascii('x\0\0'), unfolding())] }) },
    { name: 'text.png', bytes: png(64, 64, { extra: [pngChunk('zTXt', ascii('x\0\0'), unfolding())] }) },
    { name: 'endless.gif', bytes: gif(400, 300, 40_000) },
    { name: 'large-frames.gif', bytes: gif(8000, 8000, 3) },
    { name: 'circle.tif', bytes: tiff([[256, 4, 1, 10]], 8) },
    { name: 'far.tif', bytes: tiff([[34665, 4, 1, 0xffff_fff0]], 0xffff_ffff) },
    { name: 'overlapping.tif', bytes: Buffer.concat([tiff(many), Buffer.alloc(50_000)]) },
    { name: 'exif-circle.jpg', bytes: withExif(jpeg, tiff([[34665, 4, 1, 8], [34853, 4, 1, 8]], 8)) }, // prettier-ignore
    { name: 'exif-far.jpg', bytes: withExif(jpeg, tiff([[271, 2, 0xffff_ffff, 8], [306, 2, 20, 0xffff_fff0]])) }, // prettier-ignore
    { name: 'exif-many.jpg', bytes: withExif(jpeg, Buffer.concat([tiff(many.slice(0, 4500)), Buffer.alloc(8000)])) },
    { name: 'longer-than-it-is.jpg', bytes: jpegOf(jpeg, 8000, 8000) },
  ]
}
