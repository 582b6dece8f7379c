/**
 * What a denoise may change and what not, over formats, depths, profiles, orientations and alpha: files written by the
 * app are read back by readers that share nothing with it (test/support/readers.ts).
 */
import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { jobSpec, type JobSpecInput } from '../../../core/contract/index.ts'
import { decodeHere } from '../../../core/decoder/index.ts'
import { exportPictures, MemoryJournal } from '../../../core/denoise/index.ts'
import { embedInJpeg, embedInPng, embedInTiff, type EmbeddedTags } from '../../../core/images/embed.ts'
import { readPicture, samplesOf, writePicture, type Picture } from '../../../core/images/index.ts'
import type { TileRequest } from '../../../core/inference/index.ts'
import { createRandom } from '../../../core/random.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { readJpeg, readPng, readTags, readTiff, readWebp, type ReadBack } from '../../support/readers.ts'
import { HalvingInference, jobContext } from '../denoise/halving.ts'
import { GREY_PROFILE, makeProfile, RGB_PROFILES, type ProfileName } from './profiles.ts'
import { cameraExif } from './samples.ts'

const folder = await temporaryFolder()
const [WIDTH, HEIGHT] = [22, 15]
const READ = { png: readPng, tiff: readTiff } as const
const IPTC = Buffer.concat([Buffer.from([0x1c, 2, 5, 0, 6]), Buffer.from('Harbor')])
const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="ORIENTATION" dc:title="Été"/></x:xmpmeta>'

/** The networks' stand-in leaves alpha alone, as they do. */
class Inference extends HalvingInference {
  override async denoiseTile(request: TileRequest): Promise<void> {
    await super.denoiseTile(request)
    const { source, target } = request
    if (source.channels === 1 || source.channels === 3) return
    const [from, to] = [source.buffer, target].map((buffer) => samplesOf({ buffer, bitDepth: source.bitDepth }))
    for (let at = source.channels - 1; at < from!.length; at += source.channels) to![at] = from![at]!
  }
}

/** Saturated colours beyond sRGB, where a conversion would clip, and every low byte in use. */
function wildSamples(channels: number, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  const random = createRandom(channels * 100 + bitDepth)
  const peak = 2 ** bitDepth - 1
  const samples = bitDepth === 8 ? new Uint8Array(WIDTH * HEIGHT * channels) : new Uint16Array(WIDTH * HEIGHT * channels)
  return samples.map(() => (random.next() < 0.3 ? 0 : random.next() < 0.4 ? peak - random.integer(3) : random.integer(peak + 1)))
}

async function exifWith(orientation: number): Promise<Buffer> {
  return withThumbnail(Buffer.from(await cameraExif(orientation)))
}

/** The block with a second directory behind it that holds a thumbnail of the picture as it was. */
function withThumbnail(exif: Buffer): Buffer {
  const little = exif.toString('latin1', 0, 2) === 'II'
  const u16 = (value: number) => (little ? Buffer.from([value & 255, value >> 8]) : Buffer.from([value >> 8, value & 255]))
  const u32 = (value: number) =>
    little ? Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]) : Buffer.concat([u16(value >>> 16), u16(value & 0xffff)])
  const first = little ? exif.readUInt32LE(4) : exif.readUInt32BE(4)
  const next = first + 2 + 12 * (little ? exif.readUInt16LE(first) : exif.readUInt16BE(first))
  const at = exif.length + (exif.length & 1)
  const picture = Buffer.from('ffd8ffe000104a46494600ffd9', 'hex')
  const entry = (id: number, value: number) => Buffer.concat([u16(id), u16(4), u32(1), u32(value)])
  const directory = Buffer.concat([u16(2), entry(513, at + 30), entry(514, picture.length), u32(0)])
  const block = Buffer.concat([exif, Buffer.alloc(at - exif.length), directory, picture])
  u32(at).copy(block, next)
  return block
}

interface Case {
  /** Without EXIF, which says a resolution of its own. */
  bare?: boolean
  format: 'png' | 'tiff'
  bitDepth: 8 | 16
  channels: 1 | 2 | 3 | 4
  profile: ProfileName | null
  orientation: number
}

async function writeSource({ format, bitDepth, channels, profile, orientation, bare }: Case): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.${format}`)
  const samples = wildSamples(channels, bitDepth)
  const buffer = new SharedArrayBuffer(samples.byteLength)
  new Uint8Array(buffer).set(new Uint8Array(samples.buffer))
  const picture: Picture = { buffer, width: WIDTH, height: HEIGHT, channels, bitDepth, format, tags: {}, profile: null, notes: [] }
  await writePicture(picture, path, { format, bitDepth: 'keep', quality: 90 })
  const tags: EmbeddedTags = {
    ...(profile && { icc: makeProfile(profile) }),
    ...(!bare && { exif: await exifWith(orientation) }),
    xmp: Buffer.from(XMP.replace('ORIENTATION', String(orientation))),
    iptc: IPTC,
    density: 240,
  }
  const file = Buffer.concat((format === 'png' ? embedInPng : embedInTiff)(await readFile(path), tags).parts)
  if (format === 'tiff') turnTiff(file, orientation)
  await writeFile(path, file)
  return path
}

/** Sets the orientation that a TIFF's own directory holds. */
function turnTiff(file: Buffer, orientation: number): void {
  const directory = file.readUInt32LE(4)
  for (let at = directory + 2; ; at += 12) {
    if (file.readUInt16LE(at) !== 274) continue
    file.writeUInt16LE(orientation, at + 8)
    return
  }
}

/** The stored samples as they are seen (EXIF 3.0, 4.6.4, "Orientation"). */
function upright(
  { samples, width, height, channels }: ReadBack,
  orientation: number,
): { samples: number[]; width: number; height: number } {
  const turned = orientation > 4
  const [w, h] = turned ? [height, width] : [width, height]
  const seen: number[] = []
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const [column, row] = [
        [x, y],
        [width - 1 - x, y],
        [width - 1 - x, height - 1 - y],
        [x, height - 1 - y],
        [y, x],
        [y, height - 1 - x],
        [width - 1 - y, height - 1 - x],
        [width - 1 - y, x],
      ][orientation - 1]!
      for (let c = 0; c < channels; c++) seen.push(samples![(row! * width + column!) * channels + c]!)
    }
  }
  return { samples: seen, width: w, height: h }
}

type Spec = Extract<JobSpecInput, { kind: 'denoise' }>

async function denoise(path: string, strength: number, output: Spec['output'] = {}) {
  const spec = jobSpec.parse({
    kind: 'denoise',
    sources: [{ kind: 'path', path }],
    settings: { tier: 'best', sigma: 20, strength },
    output,
    destination: { kind: 'folder', path: join(folder, 'out') },
  }) as Parameters<typeof exportPictures>[0]['spec']
  const journal = new MemoryJournal()
  const reserveDownload = () => expect.unreachable()
  await exportPictures(
    { inputs: [{ path, name: path.split('/').at(-1)! }], spec },
    { inference: new Inference(), decoder: decodeHere, journal, reserveDownload },
    jobContext(),
  )
  const [result] = journal.results()
  return result!
}

const halved = (samples: number[], channels: number) =>
  samples.map((value, index) => (channels % 2 === 0 && index % channels === channels - 1 ? value : value >> 1))

const CAMERA = { 271: 'NIKON CORPORATION', 272: 'NIKON D850', 36_867: '2024:05:06 07:08:09', 42_036: 'NIKKOR 50mm' }

function expectTags(back: ReadBack): void {
  const { tags } = back
  for (const [id, value] of Object.entries(CAMERA)) expect(tags.get(Number(id))).toBe(value)
  expect(tags.get(315)).toBe('Zoe')
  // GPS: 33° 51' 36" S, 151° 12' E.
  expect([tags.get(1), tags.get(2), tags.get(3), tags.get(4)]).toEqual(['S', [33, 51, 36], 'E', [151, 12, 0]])
  expect(tags.get(274) ?? [1]).toEqual([1])
  expect(tags.has(-1)).toBe(false)
  expect(back.exif?.includes('JFIF') ?? false).toBe(false)
  expect(back.xmp).toContain('tiff:Orientation="1" dc:title="Été"')
}

const cases: Case[] = []
for (const format of ['png', 'tiff'] as const) {
  for (const bitDepth of [8, 16] as const) {
    for (const channels of [1, 2, 3, 4] as const) {
      for (const profile of [null, ...(channels < 3 ? [GREY_PROFILE] : RGB_PROFILES)]) {
        // Each of the eight orientations in turn, in both formats and depths.
        cases.push({ format, bitDepth, channels, profile, orientation: (cases.length % 8) + 1 })
      }
    }
  }
}

describe('in its own format', () => {
  test.each(cases)('$format, $bitDepth bits, $channels channels, $profile, orientation $orientation', async (one) => {
    const path = await writeSource(one)
    const read = READ[one.format]
    const source = read(await readFile(path))
    expect(Array.from(source.samples!)).toEqual(Array.from(wildSamples(one.channels, one.bitDepth)))

    const untouched = await denoise(path, 0)
    expect(Buffer.compare(await readFile(untouched.output!), await readFile(path))).toBe(0)

    const result = await denoise(path, 100)
    expect(result).toMatchObject({ status: 'done' })
    const back = read(await readFile(result.output!))
    const seen = upright(source, one.orientation)
    expect(back).toMatchObject({ width: seen.width, height: seen.height, channels: one.channels, bitDepth: one.bitDepth })
    expect(Array.from(back.samples!)).toEqual(halved(seen.samples, one.channels))
    if (one.profile) expect(Buffer.compare(back.icc!, makeProfile(one.profile))).toBe(0)
    else expect(back.icc).toBeUndefined()
    expectTags(back)
    expect(back.iptc!.includes(IPTC)).toBe(true)
  })
})

describe('in another format', () => {
  test.each(cases.filter(({ profile, channels }) => profile !== null && channels !== 2))(
    '$format to the other, $bitDepth bits, $channels channels, $profile: strength 0 is the samples themselves',
    async (one) => {
      const path = await writeSource(one)
      const other = one.format === 'png' ? 'tiff' : 'png'
      const { output } = await denoise(path, 0, { format: other })
      const back = READ[other](await readFile(output!))
      expect(Array.from(back.samples!)).toEqual(upright(READ[one.format](await readFile(path)), one.orientation).samples)
      expect(Buffer.compare(back.icc!, makeProfile(one.profile!))).toBe(0)
      expectTags(back)
      expect(back.iptc!.includes(IPTC)).toBe(true)
    },
  )

  const colour: Case = { format: 'png', bitDepth: 8, channels: 3, profile: 'ProPhoto RGB', orientation: 6 }

  test('JPEG: profile bytes, tags, size, every colour of every pixel', async () => {
    const { output, notes } = await denoise(await writeSource(colour), 100, { format: 'jpeg' })
    const back = readJpeg(await readFile(output!))
    expect(back).toMatchObject({ width: HEIGHT, height: WIDTH, channels: 3, sampling: '11,11,11' })
    expect(Buffer.compare(back.icc!, makeProfile('ProPhoto RGB'))).toBe(0)
    expectTags(back)
    expect(back.iptc!.includes(IPTC)).toBe(true)
    expect(notes).toEqual([])
  })

  test('WebP and AVIF: profile bytes, tags and size; IPTC has no place there, which is said', async () => {
    const path = await writeSource(colour)
    const webp = await denoise(path, 100, { format: 'webp' })
    const back = readWebp(await readFile(webp.output!))
    expect(back).toMatchObject({ width: HEIGHT, height: WIDTH })
    expect(Buffer.compare(back.icc!, makeProfile('ProPhoto RGB'))).toBe(0)
    expectTags(back)
    const avif = await denoise(path, 100, { format: 'avif' })
    const file = await readFile(avif.output!)
    expect(file.includes(Buffer.from(makeProfile('ProPhoto RGB')))).toBe(true)
    const found = await sharp(file).metadata()
    expect([found.width, found.height, found.orientation ?? 1]).toEqual([HEIGHT, WIDTH, 1])
    expect(readTags(found.exif!.subarray(found.exif!.toString('latin1', 0, 4) === 'Exif' ? 6 : 0)).get(42_036)).toBe('NIKKOR 50mm')
    for (const { notes } of [webp, avif]) expect(notes.join()).toMatch(/IPTC does not fit/)
  })

  test('grey stays grey in JPEG, with its profile', async () => {
    const { output } = await denoise(await writeSource({ ...colour, channels: 1, profile: GREY_PROFILE }), 100, { format: 'jpeg' })
    const back = readJpeg(await readFile(output!))
    expect(back.channels).toBe(1)
    expect(Buffer.compare(back.icc!, makeProfile(GREY_PROFILE))).toBe(0)
  })

  test.each(['jpeg', 'webp', 'avif'] as const)('16 bits asked of %s is refused by code', async (format) => {
    const result = await denoise(await writeSource({ ...colour, bitDepth: 16 }), 100, { format, bitDepth: '16' })
    expect(result).toMatchObject({ status: 'failed', output: null, error: { code: 'BIT_DEPTH_UNSUPPORTED' } })
  })
})

describe('from JPEG', () => {
  async function jpeg(tags: EmbeddedTags, insert: Uint8Array = new Uint8Array()): Promise<string> {
    const pixels = wildSamples(3, 8)
    const plain = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer()
    const [head, ...rest] = embedInJpeg(plain, tags).parts
    const path = join(folder, `${crypto.randomUUID()}.jpg`)
    await writeFile(path, Buffer.concat([head!, insert, ...rest]))
    return path
  }

  test('the decoded samples come through before any lossy encoding, upright, and the thumbnail of the old picture goes', async () => {
    const path = await jpeg({ exif: await exifWith(8), icc: makeProfile('Adobe RGB (1998)'), iptc: IPTC })
    const { output } = await denoise(path, 100, { format: 'png' })
    const back = readPng(await readFile(output!))
    const { data } = await sharp(await readFile(path), { ignoreIcc: true })
      .raw()
      .toBuffer({ resolveWithObject: true })
    const seen = upright({ samples: data, width: WIDTH, height: HEIGHT, channels: 3, bitDepth: 8, tags: new Map() }, 8)
    expect(Array.from(back.samples!)).toEqual(halved(seen.samples, 3))
    expect(Buffer.compare(back.icc!, makeProfile('Adobe RGB (1998)'))).toBe(0)
    const same = readJpeg(await readFile((await denoise(path, 100)).output!))
    expect(same.tags.has(-1)).toBe(false)
    expect(same.exif!.includes(Buffer.from('ffd8ffe0', 'hex'))).toBe(false)
  })

  test('a comment stays; an HDR gain map goes, with its description, and that is said', async () => {
    const comment = Buffer.from([0xff, 0xfe, 0, 7, ...Buffer.from('hello')])
    const index = Buffer.from([0xff, 0xe2, 0, 10, ...Buffer.from('MPF\0II*\0')])
    const xmp = Buffer.from(
      '<rdf:Description hdrgm:Version="1.0" dc:title="kept"><Container:Directory><rdf:Seq>two items</rdf:Seq></Container:Directory></rdf:Description>',
    )
    const path = await jpeg({ xmp }, Buffer.concat([comment, index]))
    const { output, notes } = await denoise(path, 100)
    expect(notes.join()).toMatch(/gain map is left out/)
    const file = await readFile(output!)
    const back = readJpeg(file)
    expect(back.xmp).toBe('<rdf:Description dc:title="kept"></rdf:Description>')
    expect(file.includes('hello')).toBe(true)
    expect(file.includes('MPF\0')).toBe(false)
    const previews = await denoise(await jpeg({}, index), 100)
    expect(previews.notes.join()).toMatch(/further pictures/)
  })

  test('without a profile it is left without', async () => {
    const { output } = await denoise(await jpeg({}), 100)
    expect(readJpeg(await readFile(output!)).icc).toBeUndefined()
  })

  test('CMYK becomes sRGB with a word', async () => {
    const path = join(folder, 'cmyk.jpg')
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c03020' } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toFile(path)
    const { output, notes } = await denoise(path, 100)
    expect(notes.join()).toMatch(/CMYK is converted/)
    expect(readJpeg(await readFile(output!)).channels).toBe(3)
  })
})

test.each(['png', 'tiff', 'jpeg'] as const)('the resolution of a scan goes with it into %s', async (format) => {
  for (const from of ['png', 'tiff'] as const) {
    const path = await writeSource({ format: from, bitDepth: 8, channels: 1, profile: null, orientation: 1, bare: true })
    const { output } = await denoise(path, 100, { format })
    expect((await sharp(output!).metadata()).density).toBe(240)
  }
})

test('of a TIFF with several pages the first is taken, and that is said', async () => {
  const page = wildSamples(3, 8)
  const both = Buffer.concat([Buffer.from(page), Buffer.alloc(page.length, 9)])
  const path = join(folder, 'pages.tiff')
  await sharp(both, { raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT } })
    .tiff({ compression: 'deflate' })
    .toFile(path)
  const { output, notes } = await denoise(path, 100)
  expect(notes).toContain('Only the first of 2 pages is taken.')
  const back = readTiff(await readFile(output!))
  expect([back.width, back.height]).toEqual([WIDTH, HEIGHT])
  expect(Array.from(back.samples!)).toEqual(halved(Array.from(page), 3))
})

test('PNG’s own gamma and words stay in a PNG; time of modification and lossless WebP stay too', async () => {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const bytes = Buffer.alloc(body.length + 8)
    bytes.writeUInt32BE(data.length, 0)
    body.copy(bytes, 4)
    bytes.writeUInt32BE(crc(body), body.length + 4)
    return bytes
  }
  const path = await writeSource({ format: 'png', bitDepth: 16, channels: 3, profile: null, orientation: 1 })
  const file = await readFile(path)
  const gamma = chunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]))
  const words = chunk('tEXt', Buffer.from('Author\0Zoe'))
  await writeFile(path, Buffer.concat([file.subarray(0, 33), gamma, words, file.subarray(33)]))
  const time = new Date('2011-02-03T04:05:06Z')
  await utimes(path, time, time)
  const { output } = await denoise(path, 100)
  const back = await readFile(output!)
  expect([back.includes(gamma), back.includes(words)]).toEqual([true, true])
  expect((await stat(output!)).mtime).toEqual(time)

  const lossless = join(folder, 'lossless.webp')
  await sharp(wildSamples(3, 8), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .webp({ lossless: true })
    .toFile(lossless)
  const kept = await denoise(lossless, 100)
  const pixels = await readPicture(kept.output!)
  expect(Array.from(samplesOf(pixels))).toEqual(halved(Array.from(wildSamples(3, 8)), 3))
})

function crc(bytes: Buffer): number {
  let value = 0xffffffff
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}
