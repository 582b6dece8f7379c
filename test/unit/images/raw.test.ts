import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  inspectPicture,
  planOutput,
  READABLE_EXTENSIONS,
  readForIndex,
  readPicture,
  samplesOf,
  writePicture,
} from '../../../core/images/index.ts'
import { readRawPreview } from '../../../core/images/raw/preview.ts'
import { createRandom } from '../../../core/random.ts'
import { makePhoto, temporaryFolder } from '../../support/pictures.ts'
import { RAW_SAMPLES } from '../../support/raw.ts'

const folder = await temporaryFolder()
const size = { width: 320, height: 200 }
const formats = Object.keys(RAW_SAMPLES)

let large: Buffer
let turned: Buffer
let small: Buffer
beforeAll(async () => {
  const photo = sharp(await makePhoto(createRandom(5), size), { raw: { ...size, channels: 3 } })
  large = await photo.clone().jpeg({ quality: 95 }).toBuffer()
  // As the sensor saw it: upright when it is turned clockwise by a quarter.
  turned = await photo.clone().rotate(270).jpeg({ quality: 95 }).toBuffer()
  small = await photo.clone().resize(160).modulate({ brightness: 0.3 }).jpeg().toBuffer()
})

function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  return Array.from(a).reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length
}

describe.each(formats)('a generated %s', (format) => {
  const { camera, write } = RAW_SAMPLES[format]!

  test('shows its largest preview, with what its own directories say', async () => {
    const path = join(folder, `plain.${format}`)
    await writeFile(path, write({ large, small }))
    const found = await readForIndex(path)
    expect(found).toMatchObject({ format, ...size, bitDepth: 8 })
    expect(found.metadata).toMatchObject({
      camera: expect.stringContaining(camera.split(' ').at(-1)!),
      lens: 'Test Lens 35mm',
      iso: 400,
      aperture: 2.8,
      takenAt: new Date(2024, 4, 6, 7, 8, 9).getTime(),
      latitude: 48.5,
      longitude: -9.25,
    })
    expect(meanDifference(found.encoderInput, (await readForIndex(large)).encoderInput)).toBe(0)
    expect(READABLE_EXTENSIONS.has(`.${format}`)).toBe(true)
  })

  test('is turned once, as the RAW file says', async () => {
    const found = await readForIndex(write({ large: turned, small, orientation: 6 }))
    expect(found).toMatchObject(size)
    expect(meanDifference(found.encoderInput, (await readForIndex(large)).encoderInput)).toBeLessThan(2)
  })

  test('is denoised from its preview, with a word, into a TIFF that is upright', async () => {
    const raw = write({ large: turned, small, orientation: 6 })
    const picture = await readPicture(raw)
    expect(picture).toMatchObject({ ...size, format, bitDepth: 8 })
    expect(picture.notes[0]).toBe(
      `The preview in the ${format.toUpperCase()} file is taken, 320 × 200 pixels: the sensor’s data are not developed.`,
    )
    expect(planOutput(picture, { format: 'keep', bitDepth: 'keep', quality: 90 })).toMatchObject({ format: 'tiff' })
    const output = join(folder, `${format}.tif`)
    await writePicture(picture, output, { format: 'keep', bitDepth: 'keep', quality: 90 })
    const back = await readPicture(output)
    expect(Buffer.from(samplesOf(back).buffer).equals(Buffer.from(samplesOf(picture).buffer))).toBe(true)
    expect((await readForIndex(output)).metadata).toMatchObject({ lens: 'Test Lens 35mm', latitude: 48.5 })
  })

  test('whose preview is cut off is truncated; without one it is not supported', async () => {
    const whole = write({ large, small: large })
    const cut = whole.subarray(0, whole.indexOf(large) + 100)
    const refused = await readForIndex(cut, 'cut').catch((error: { code: string }) => error.code)
    // Where the directories lie behind the previews, they are gone too: it is an unreadable TIFF then.
    expect(refused).toMatch(/^(PICTURE_TRUNCATED|PICTURE_CORRUPT)$/)
    const empty = Buffer.alloc(600)
    await expect(inspectPicture(write({ large: empty, small: empty }), 'x')).rejects.toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      path: 'x',
    })
  })
})

test('a TIFF is no RAW file, whatever camera it names', async () => {
  const tiff = await sharp(large)
    .withExif({ IFD0: { Make: 'NIKON CORPORATION', Model: 'NIKON D850' } })
    .tiff()
    .toBuffer()
  expect(readRawPreview(tiff)).toBeUndefined()
  expect(await inspectPicture(tiff)).toMatchObject({ format: 'tiff', ...size })
})
