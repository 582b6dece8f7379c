import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readPicture, samplesOf, writePicture, type OutputFormat, type Picture } from '../../../core/images/index.ts'
import { photoMetadata } from '../../../core/images/exif.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { cameraExif, makePicture, wideGamutProfile } from './samples.ts'

const folder = await temporaryFolder()
const FORMATS: OutputFormat[] = ['png', 'tiff', 'jpeg', 'webp', 'avif']
const settings = { bitDepth: 'keep', quality: 95 } as const

async function roundTrip(picture: Picture, format: OutputFormat) {
  const path = join(folder, `${crypto.randomUUID()}.${format}`)
  const { notes } = await writePicture(picture, path, { ...settings, format })
  return { path, notes, back: await readPicture(path) }
}

function meanDifference(a: Picture, b: Picture): number {
  const [x, y] = [samplesOf(a), samplesOf(b)]
  expect(x.length).toBe(y.length)
  return Array.from(x).reduce((sum, value, index) => sum + Math.abs(value - y[index]!), 0) / x.length
}

describe('what is written is what was there', () => {
  for (const bitDepth of [8, 16] as const) {
    for (const channels of [1, 2, 3, 4] as const) {
      for (const format of ['png', 'tiff'] as const) {
        test(`${format}, ${bitDepth} bits, ${channels} channels: every sample`, async () => {
          const picture = makePicture(61, 47, channels, bitDepth)
          const { back, notes } = await roundTrip({ ...picture, tags: channels > 2 ? { icc: await wideGamutProfile() } : {} }, format)
          expect(back).toMatchObject({ width: 61, height: 47, channels, bitDepth, format })
          expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(picture.buffer))).toBe(0)
          expect(notes).toEqual([])
        })
      }
    }
  }

  test.each(['jpeg', 'webp', 'avif'] as const)('%s: colours are not shifted by a wide-gamut profile', async (format) => {
    // Without noise the codec's own loss is below one level: a conversion of colours would be many.
    const picture = { ...makePicture(96, 80, 3, 8, 0), tags: { icc: await wideGamutProfile() } }
    const { back } = await roundTrip(picture, format)
    expect(meanDifference(picture, back)).toBeLessThan(1.5)
  })

  test.each(FORMATS)('%s: profile, EXIF and XMP come back, upright', async (format) => {
    const icc = await wideGamutProfile()
    const exif = await cameraExif(6)
    const xmp = Buffer.from('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="Été"/></x:xmpmeta>')
    const { path, back, notes } = await roundTrip({ ...makePicture(40, 30, 3, 8), tags: { icc, exif, xmp } }, format)
    expect(notes).toEqual([])
    expect(Buffer.compare(back.tags.icc as Uint8Array, icc)).toBe(0)
    expect(back.profile).toMatch(/P3/)
    expect(photoMetadata(back.tags.exif)).toEqual(photoMetadata(exif))
    expect(Buffer.from(back.tags.xmp as Uint8Array).toString()).toContain('tiff:Orientation="1" dc:title="Été"')
    expect((await sharp(path).metadata()).orientation ?? 1).toBe(1)
    expect(back).toMatchObject({ width: 40, height: 30 })
  })

  test('makers’ notes survive in JPEG, PNG and WebP: the block is byte for byte the same but for the orientation', async () => {
    const exif = await cameraExif(8)
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const { back } = await roundTrip({ ...makePicture(40, 30, 3, 8), tags: { exif } }, format)
      const differing = [...exif.keys()].filter((index) => exif[index] !== back.tags.exif?.[index])
      expect(differing.map((index) => exif[index])).toEqual([8, 8, 8])
    }
  })

  test('16 bits asked of a format of 8 is refused; with `keep` it becomes 8 and is said', async () => {
    const deep = makePicture(20, 20, 3, 16)
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      await expect(writePicture(deep, join(folder, `no.${format}`), { format, bitDepth: '16', quality: 90 })).rejects.toMatchObject({
        code: 'BIT_DEPTH_UNSUPPORTED',
      })
    }
    const { back, notes } = await roundTrip(deep, 'webp')
    expect(back.bitDepth).toBe(8)
    expect(notes.join()).toMatch(/8 bits/)
  })

  test('16 bits become 8 by rounding, 8 become 16 exactly', async () => {
    const deep = makePicture(33, 21, 3, 16)
    const down = join(folder, 'down.png')
    await writePicture(deep, down, { format: 'png', bitDepth: '8', quality: 90 })
    const expected = Array.from(samplesOf(deep), (value) => Math.round(value / 257))
    const eight = await readPicture(down)
    expect(Array.from(samplesOf(eight))).toEqual(expected)
    const up = join(folder, 'up.tiff')
    await writePicture(eight, up, { format: 'tiff', bitDepth: '16', quality: 90 })
    expect(Array.from(samplesOf(await readPicture(up)))).toEqual(expected.map((value) => value * 257))
  })

  test('JPEG keeps the colour of single pixels (no chroma subsampling)', async () => {
    const { path } = await roundTrip(makePicture(32, 32, 3, 8), 'jpeg')
    expect((await sharp(path).metadata()).chromaSubsampling).toBe('4:4:4')
  })

  test('transparency is flattened on white in JPEG, and that is said', async () => {
    const picture = makePicture(16, 16, 4, 8)
    samplesOf(picture).fill(0)
    const { back, notes } = await roundTrip(picture, 'jpeg')
    expect(samplesOf(back)[0]).toBe(255)
    expect(notes.join()).toMatch(/white/)
  })
})

describe('`keep`', () => {
  test('a GIF is saved as TIFF, its first frame, and both are said', async () => {
    const samples = Buffer.from(makePicture(20, 40, 3, 8).buffer)
    const frames = await sharp(samples, { raw: { width: 20, height: 40, channels: 3, pageHeight: 20 } })
      .gif()
      .toBuffer()
    const picture = await readPicture(frames, 'two.gif')
    expect(picture).toMatchObject({ width: 20, height: 20, format: 'gif' })
    expect(picture.notes.join()).toMatch(/first of 2 frames/)
    const path = join(folder, 'from-gif')
    const { notes } = await writePicture(picture, path, { ...settings, format: 'keep' })
    expect(notes.join()).toMatch(/TIFF/)
    expect((await sharp(path).metadata()).format).toBe('tiff')
  })

  test('the output’s extension chooses the format', async () => {
    const path = join(folder, 'chosen.webp')
    await writePicture(makePicture(20, 20, 3, 8), path, { ...settings, format: 'keep' })
    expect((await sharp(path).metadata()).format).toBe('webp')
  })
})

describe('reading', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('orientation %i is applied', async (orientation) => {
    const upright = makePicture(48, 32, 3, 8, 0)
    const samples = Buffer.from(upright.buffer)
    // What is stored under each orientation, made by undoing it: a quarter turn, then a mirroring.
    const turn = [0, 0, 0, 180, 180, 90, 270, 270, 90][orientation]
    const mirror = [2, 4, 5, 7].includes(orientation)
    const turned = await sharp(samples, { raw: { width: 48, height: 32, channels: 3 } })
      .rotate(turn)
      .png()
      .toBuffer()
    const file = await sharp(turned).flop(mirror).withMetadata({ orientation }).png().toBuffer()
    expect((await sharp(file).metadata()).orientation).toBe(orientation)
    const picture = await readPicture(file)
    expect([picture.width, picture.height]).toEqual([48, 32])
    expect(Buffer.compare(Buffer.from(picture.buffer), samples)).toBe(0)
  })

  test('CMYK becomes sRGB, which is said, and its profile is not kept', async () => {
    const file = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#c03020' } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer()
    const picture = await readPicture(file)
    expect(picture).toMatchObject({ channels: 3, bitDepth: 8, profile: null })
    expect(picture.notes.join()).toMatch(/CMYK/)
    const [red = 0, green = 255, blue = 255] = samplesOf(picture)
    expect(red).toBeGreaterThan(140)
    expect(Math.max(green, blue)).toBeLessThan(110)
  })

  test('a palette becomes RGB, 1-bit grey stays grey', async () => {
    const palette = await sharp(Buffer.from(makePicture(24, 24, 3, 8).buffer), { raw: { width: 24, height: 24, channels: 3 } })
      .png({ palette: true })
      .toBuffer()
    expect(await readPicture(palette)).toMatchObject({ channels: 3, bitDepth: 8 })
    const bits = await sharp({ create: { width: 24, height: 24, channels: 3, background: '#fff' } })
      .toColourspace('b-w')
      .png({ colours: 2, palette: false })
      .toBuffer()
    expect(await readPicture(bits)).toMatchObject({ channels: 1 })
  })

  test('EXIF travels from a TIFF to a JPEG and back', async () => {
    const exif = await cameraExif(1)
    const tiff = await roundTrip({ ...makePicture(20, 20, 3, 8), tags: { exif } }, 'tiff')
    const jpeg = await roundTrip(tiff.back, 'jpeg')
    const again = await roundTrip(jpeg.back, 'tiff')
    expect(photoMetadata(again.back.tags.exif)).toEqual(photoMetadata(exif))
    expect(photoMetadata(exif)).toMatchObject({ camera: 'NIKON D850', lens: 'NIKKOR 50mm', iso: 400, aperture: 2.8 })
  })

  test('a damaged EXIF block is left out of the output, and that is said', async () => {
    const { back, notes } = await roundTrip({ ...makePicture(20, 20, 3, 8), tags: { exif: Buffer.from('II*\0garbage-garbage') } }, 'jpeg')
    expect(notes.join()).toMatch(/EXIF/)
    expect(back.tags.exif).toBeUndefined()
  })
})

test('nothing is left behind when the target is taken', async () => {
  const path = join(folder, 'taken.png')
  await writePicture(makePicture(20, 20, 3, 8), path, { ...settings, format: 'png' })
  const before = await readFile(path)
  await expect(writePicture(makePicture(30, 30, 3, 8), path, { ...settings, format: 'png' })).rejects.toMatchObject({
    code: 'FILE_EXISTS',
    path,
  })
  expect(Buffer.compare(before, await readFile(path))).toBe(0)
})
