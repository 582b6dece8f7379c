import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import {
  hashDistance,
  readForIndex,
  readForQuery,
  readPicture,
  readView,
  writePicture,
  type IndexedPicture,
} from '../../../core/images/index.ts'
import { createRandom } from '../../../core/random.ts'
import { sharedData } from '../../support/data.ts'
import { encodePhoto, makePhoto, temporaryFolder } from '../../support/pictures.ts'
import { cameraExif, makePicture } from './samples.ts'

const folder = await temporaryFolder()
const size = { width: 400, height: 300 }
const pixels = await makePhoto(createRandom(11), size)
const photo = () => sharp(pixels, { raw: { ...size, channels: 3 } })

async function indexed(name: string, bytes: Uint8Array): Promise<IndexedPicture> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return readForIndex(path)
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length
}

describe('what the library keeps', () => {
  test('of a photograph with EXIF', async () => {
    const bytes = await photo().jpeg({ quality: 92 }).withMetadata({ orientation: 6 }).toBuffer()
    const found = await indexed('a.jpg', bytes)
    expect(found).toMatchObject({ bytes: bytes.length, format: 'jpeg', width: 300, height: 400, bitDepth: 8, hasAlpha: false })
    expect(found.contentHash).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(found.encoderInput).toHaveLength(112 * 112 * 3)
    const thumbnail = await sharp(found.thumbnail.data).metadata()
    expect(thumbnail).toMatchObject({ format: 'webp', width: 288, height: 384 })
    expect(found.thumbnail).toMatchObject({ width: 288, height: 384 })
  })

  test('upright is upright: thumbnail, encoder input and hash of a turned file are those of the straight one', async () => {
    const straight = await indexed('straight.png', await photo().png().toBuffer())
    const turned = await photo().rotate(270).png().toBuffer()
    const marked = await indexed('turned.png', await sharp(turned).withMetadata({ orientation: 6 }).png().toBuffer())
    expect(marked).toMatchObject({ width: 400, height: 300 })
    expect(meanDifference(marked.encoderInput, straight.encoderInput)).toBeLessThan(1)
    expect(hashDistance(marked.perceptualHash, straight.perceptualHash)).toBeLessThanOrEqual(2)
  })

  test('an edit of metadata only keeps the pixel hash; an edit of pixels does not', async () => {
    const plain = await indexed('plain.png', await photo().png().toBuffer())
    const tagged = await indexed(
      'tagged.png',
      await photo()
        .png()
        .withExif({ IFD0: { Artist: 'Somebody' } })
        .toBuffer(),
    )
    const brighter = await indexed('brighter.png', await photo().linear(1.05, 3).png().toBuffer())
    expect(tagged.contentHash).not.toBe(plain.contentHash)
    expect(tagged.pixelHash).toBe(plain.pixelHash)
    expect(brighter.pixelHash).not.toBe(plain.pixelHash)
  })

  test.each([8, 16] as const)(
    'colours of a wide-gamut profile are converted to sRGB for the screen and the encoder: %i bits',
    async (bitDepth) => {
      const srgb = await indexed('srgb.png', await photo().png().toBuffer())
      // sharp converts the samples to the profile it attaches.
      const wide = await readPicture(await photo().withIccProfile('p3').png().toBuffer())
      const path = join(folder, `wide${bitDepth}.png`)
      await writePicture(wide, path, { format: 'png', bitDepth: bitDepth === 16 ? '16' : '8', quality: 90 })
      const found = await readForIndex(path)
      expect(found).toMatchObject({ bitDepth, profile: expect.stringMatching(/P3/) })
      expect(meanDifference(found.encoderInput, srgb.encoderInput)).toBeLessThan(2)
      // The samples themselves differ by more: they were converted, not taken as they are.
      expect(meanDifference(new Uint8Array(wide.buffer), pixels)).toBeGreaterThan(2.5)
    },
  )

  test('transparency is mid-grey to the encoder and stays in the thumbnail', async () => {
    const clear = await sharp({ create: { width: 50, height: 40, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toBuffer()
    const found = await indexed('clear.png', clear)
    expect(found.hasAlpha).toBe(true)
    expect([...new Set(found.encoderInput)]).toEqual([128])
    expect((await sharp(found.thumbnail.data).metadata()).hasAlpha).toBe(true)
  })

  test('every format that is read gives nearly the same picture', async () => {
    const truth = await indexed('truth.png', await photo().png().toBuffer())
    for (const format of ['jpeg', 'webp', 'avif', 'tiff', 'gif'] as const) {
      const found = await indexed(`format.${format}`, await photo().toFormat(format).toBuffer())
      expect(found.format).toBe(format)
      expect(meanDifference(found.encoderInput, truth.encoderInput), format).toBeLessThan(4)
      expect(hashDistance(found.perceptualHash, truth.perceptualHash), format).toBeLessThanOrEqual(6)
    }
  })

  test('CMYK, grey and a tiny picture are taken', async () => {
    expect(await indexed('cmyk.jpg', await photo().toColourspace('cmyk').jpeg().toBuffer())).toMatchObject({ width: 400 })
    await writePicture(makePicture(40, 30, 2, 16), join(folder, 'grey16.tif'), { format: 'tiff', bitDepth: 'keep', quality: 90 })
    expect(await readForIndex(join(folder, 'grey16.tif'))).toMatchObject({ bitDepth: 16, hasAlpha: true })
    const dot = await indexed(
      'dot.png',
      await sharp({ create: { width: 1, height: 1, channels: 3, background: '#123456' } })
        .png()
        .toBuffer(),
    )
    expect([...dot.encoderInput.slice(0, 3)]).toEqual([0x12, 0x34, 0x56])
    expect(dot.thumbnail).toMatchObject({ width: 1, height: 1 })
  })

  test('metadata: what the camera wrote; a malformed block leaves nulls and the file is taken', async () => {
    const jpeg = await photo().jpeg().toBuffer()
    const segment = (exif: Uint8Array) => {
      const head = Buffer.from([0xff, 0xe1, 0, 0])
      head.writeUInt16BE(exif.length + 8, 2)
      return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from('Exif\0\0'), exif, jpeg.subarray(2)])
    }
    const exif = await cameraExif(1)
    expect((await indexed('exif.jpg', segment(exif))).metadata).toEqual({
      takenAt: Date.UTC(2024, 4, 6, 5, 8, 9),
      camera: 'NIKON D850',
      lens: 'NIKKOR 50mm',
      iso: 400,
      exposure: 1 / 250,
      aperture: 2.8,
      focalLength: 50,
      latitude: expect.closeTo(-33.86, 4),
      longitude: expect.closeTo(151.2, 4),
    })
    const random = createRandom(5)
    for (let round = 0; round < 40; round++) {
      const broken = Buffer.from(exif)
      for (let change = 0; change < 12; change++) broken[random.integer(broken.length)] = random.integer(256)
      expect((await indexed('broken.jpg', segment(broken.subarray(0, 20 + random.integer(broken.length - 20))))).width).toBeGreaterThan(0)
    }
  })
})

describe('in every container', () => {
  test.each(['jpeg', 'png', 'tiff', 'webp', 'avif'] as const)('of a %s what the camera wrote is found', async (format) => {
    const exif = await cameraExif(1)
    const path = join(folder, `camera.${format}`)
    const picture = { ...makePicture(60, 40, 3, 8), tags: { exif } }
    await writePicture(picture, path, { format, bitDepth: '8', quality: 80 }, { overwrite: true })
    expect((await readForIndex(path)).metadata).toMatchObject({
      camera: 'NIKON D850',
      lens: 'NIKKOR 50mm',
      iso: 400,
      takenAt: Date.UTC(2024, 4, 6, 5, 8, 9),
      latitude: expect.closeTo(-33.86, 4),
    })
  })

  test.each(['gif', 'webp'] as const)('of an animated %s the first frame is taken', async (format) => {
    const frames = ['#c03020', '#20c030', '#2030c0'].map((background) =>
      sharp({ create: { width: 40, height: 30, channels: 3, background } })
        .png()
        .toBuffer(),
    )
    const bytes = await sharp(await Promise.all(frames), { join: { animated: true } })
      .toFormat(format)
      .toBuffer()
    expect((await sharp(bytes).metadata()).pages).toBe(3)
    const found = await indexed(`frames.${format}`, bytes)
    expect(found).toMatchObject({ width: 40, height: 30 })
    expect([...found.encoderInput.subarray(0, 3)].map((value, channel) => Math.abs(value - [0xc0, 0x30, 0x20][channel]!) < 12)).toEqual([
      true,
      true,
      true,
    ])
    expect((await readPicture(bytes)).notes).toEqual(['Only the first of 3 frames is taken.'])
  })
})

describe('a region', () => {
  test('is cut out of the upright picture first', async () => {
    const turned = await photo().rotate(270).png().toBuffer()
    const marked = await sharp(turned).withMetadata({ orientation: 6 }).png().toBuffer()
    const part = await photo().extract({ left: 100, top: 30, width: 200, height: 150 }).png().toBuffer()
    const found = await readForQuery(marked, { x: 0.25, y: 0.1, width: 0.5, height: 0.5 })
    const expected = await readForQuery(part)
    expect(found).toMatchObject({ width: 400, height: 300 })
    expect(meanDifference(found.encoderInput, expected.encoderInput)).toBeLessThan(1)
    const whole = await readForQuery(marked)
    expect(meanDifference(whole.encoderInput, expected.encoderInput)).toBeGreaterThan(4)
  })

  test('of a sliver is at least a pixel', async () => {
    const { encoderInput } = await readForQuery(await photo().png().toBuffer(), { x: 0.9999, y: 0, width: 0.0001, height: 1 })
    expect(encoderInput).toHaveLength(112 * 112 * 3)
  })
})

test('the perceptual hash: near for a small JPEG, far for another picture, 0 for a flat one’s constant', async () => {
  const one = await readForQuery(await photo().png().toBuffer())
  const small = await readForQuery(await photo().resize(120).jpeg({ quality: 30 }).toBuffer())
  const other = await readForQuery(await encodePhoto(createRandom(12), size))
  expect(hashDistance(one.perceptualHash, small.perceptualHash)).toBeLessThanOrEqual(8)
  expect(hashDistance(one.perceptualHash, other.perceptualHash)).toBeGreaterThan(15)
  expect(one.perceptualHash >> 63n).toBe(0n)
})

describe('a picture for the screen', () => {
  test('is upright and no larger than asked', async () => {
    const view = await readView(await photo().jpeg().withMetadata({ orientation: 8 }).toBuffer(), 200)
    expect(await sharp(view).metadata()).toMatchObject({ format: 'jpeg', width: 150, height: 200 })
  })
  test('keeps transparency', async () => {
    const view = await readView(
      await sharp(Buffer.from(makePicture(40, 30, 4, 8).buffer), { raw: { width: 40, height: 30, channels: 4 } })
        .png()
        .toBuffer(),
      2560,
    )
    expect(await sharp(view).metadata()).toMatchObject({ format: 'webp', hasAlpha: true, width: 40 })
  })
})

describe('files that cannot be read are coded and named', () => {
  test('absent, empty, a folder, text, torn heads, formats that are not read', async () => {
    await expect(readForIndex(join(folder, 'absent.jpg'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      path: join(folder, 'absent.jpg'),
    })
    await mkdir(join(folder, 'folder.jpg'))
    await expect(readForIndex(join(folder, 'folder.jpg'))).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' })
    const cases: [string, string | Uint8Array, string][] = [
      ['empty.jpg', '', 'FILE_EMPTY'],
      ['text.jpg', 'Dear diary, this is not a picture.', 'FORMAT_UNKNOWN'],
      ['short.jpg', Buffer.from([0xff]), 'FORMAT_UNKNOWN'],
      ['drawing.png', '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'FORMAT_UNSUPPORTED'],
      ['phone.jpg', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'PICTURE_CORRUPT'],
      ['header.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70]), 'PICTURE_TRUNCATED'],
    ]
    for (const [name, content, code] of cases) {
      const path = join(folder, name)
      await writeFile(path, content)
      await expect(readForIndex(path), name).rejects.toMatchObject({ code, path })
    }
  })

  test.skipIf(process.getuid?.() === 0)('no permission', async () => {
    const path = join(folder, 'secret.jpg')
    await writeFile(path, await photo().jpeg().toBuffer(), { mode: 0o000 })
    await expect(readForIndex(path)).rejects.toMatchObject({ code: 'FILE_NOT_READABLE', path })
  })

  test.each(['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const)('a %s cut short anywhere is truncated', async (format) => {
    const whole = await photo().toFormat(format).toBuffer()
    for (const share of [0.05, 0.5, 0.95]) {
      const path = join(folder, `cut.${format}`)
      await writeFile(path, whole.subarray(0, Math.floor(whole.length * share)))
      await expect(readForIndex(path), String(share)).rejects.toMatchObject({ code: 'PICTURE_TRUNCATED', path })
      await expect(readPicture(path), String(share)).rejects.toMatchObject({ code: 'PICTURE_TRUNCATED', path })
    }
  })

  test('damage inside a PNG is corrupt, not truncated', async () => {
    const bytes = await photo().png().toBuffer()
    bytes.fill(0xaa, bytes.length >> 1, (bytes.length >> 1) + 200)
    await expect(indexed('damaged.png', bytes)).rejects.toMatchObject({ code: 'PICTURE_CORRUPT', path: join(folder, 'damaged.png') })
  })

  test('a small file that announces a huge picture is refused before it is decoded', async () => {
    const header = Buffer.from(
      await sharp({ create: { width: 10, height: 10, channels: 3, background: '#000' } })
        .png()
        .toBuffer(),
    )
    header.writeUInt32BE(100_000, 16)
    header.writeUInt32BE(100_000, 20)
    const { crc32 } = await import('node:zlib')
    header.writeUInt32BE(crc32(header.subarray(12, 29)), 29)
    await expect(indexed('bomb.png', header)).rejects.toMatchObject({ code: 'PICTURE_TOO_LARGE' })
  })
})

describe('collections of odd files', async () => {
  const suite = sharedData('robust/pngsuite')
  test.skipIf(!suite)('PngSuite: what is sound is read, what is broken by design is refused', async () => {
    const names = (await readdir(suite!)).filter((name) => /^\w{8}\.png$/.test(name) && name !== 'PngSuite.png')
    expect(names.length).toBeGreaterThan(100)
    for (const name of names) {
      const path = join(suite!, name)
      const result = await readForIndex(path).catch((error: { code?: string; path?: string }) => error)
      if (name.startsWith('x')) {
        expect(result, name).toMatchObject({ code: expect.stringMatching(/^(PICTURE_(CORRUPT|TRUNCATED)|FORMAT_UNKNOWN)$/), path })
        continue
      }
      const side = /^s(\d\d)/.exec(name)?.[1] ?? 32
      expect(result, name).toMatchObject({ format: 'png', bitDepth: name.endsWith('16.png') ? 16 : 8 })
      if (/^(bas|s\d)/.test(name)) expect(result, name).toMatchObject({ width: Number(side), height: Number(side) })
      const picture = await readPicture(path)
      expect(picture.buffer.byteLength, name).toBe(picture.width * picture.height * picture.channels * (picture.bitDepth / 8))
    }
  })

  const turned = sharedData('robust/exif_orientation')
  test.skipIf(!turned)('EXIF orientations 0 to 8 all show the same picture', async () => {
    for (const aspect of ['Landscape', 'Portrait']) {
      const reference = await readForQuery(await readFile(join(turned!, `${aspect}_1.jpg`)))
      for (let orientation = 0; orientation <= 8; orientation++) {
        const path = join(turned!, `${aspect}_${orientation}.jpg`)
        const found = await readForIndex(path)
        expect(found.width > found.height, path).toBe(aspect === 'Landscape')
        expect(meanDifference(found.encoderInput, reference.encoderInput), path).toBeLessThan(6)
        expect(hashDistance(found.perceptualHash, reference.perceptualHash), path).toBeLessThanOrEqual(6)
      }
    }
  })
})
