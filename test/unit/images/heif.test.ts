import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { inspectPicture, planOutput, readForIndex, readPicture, readView, samplesOf } from '../../../core/images/index.ts'
import { heicFixture, imir, irot, nclx, withProperties } from '../../support/heif.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const folder = await temporaryFolder()

type Colour = 'red' | 'green' | 'blue' | 'white'

/** The colours in the corners: top left, top right, bottom left, bottom right. */
async function corners(file: Buffer): Promise<Colour[]> {
  const { width, height, channels, bitDepth, ...picture } = await readPicture(file)
  const samples = samplesOf({ ...picture, bitDepth })
  const at = (x: number, y: number): Colour => {
    const [red = 0, green = 0, blue = 0] = samples.subarray((y * width + x) * channels).map((value) => value / (bitDepth === 16 ? 257 : 1))
    if (Math.min(red, green, blue) > 200) return 'white'
    return red > green && red > blue ? 'red' : green > blue ? 'green' : 'blue'
  }
  return [at(4, 4), at(width - 5, 4), at(4, height - 5), at(width - 5, height - 5)]
}

describe('HEIC', () => {
  test('with a profile and EXIF: pixels, colours, camera, lens, time and place', async () => {
    const path = join(folder, 'IMG_0001.HEIC')
    await writeFile(path, await heicFixture('p3'))
    const found = await readForIndex(path)
    expect(found).toMatchObject({ format: 'heic', width: 160, height: 120, bitDepth: 8, hasAlpha: false })
    expect(found.profile).toMatch(/P3/)
    expect(found.metadata).toMatchObject({
      camera: 'Lucidex Test',
      lens: 'Test Lens 35mm',
      aperture: 2.8,
      latitude: 48.5,
      longitude: 9.25,
      takenAt: new Date(2024, 4, 6, 7, 8, 9).getTime(),
    })
    expect(await corners(await heicFixture('p3'))).toEqual(['red', 'green', 'blue', 'white'])
    const picture = await readPicture(path)
    expect(picture.tags.icc?.length).toBeGreaterThan(100)
    expect(picture.tags.exif?.length).toBeGreaterThan(100)
    expect((await readView(path, 100)).length).toBeGreaterThan(300)
    // It is not written: what is denoised goes into a TIFF.
    expect(planOutput(picture, { format: 'keep', bitDepth: 'keep', quality: 90 })).toMatchObject({ format: 'tiff', bitDepth: 8 })
  })

  test('of 10 bits arrives in 16, full staying full', async () => {
    const file = await heicFixture('deep')
    expect(await inspectPicture(file)).toEqual({ format: 'heic', width: 160, height: 120, channels: 3, bitDepth: 16 })
    const picture = await readPicture(file)
    const samples = samplesOf(picture)
    expect(picture).toMatchObject({ bitDepth: 16, channels: 3 })
    expect(new Set(samples).size).toBeGreaterThan(300)
    expect(await corners(file)).toEqual(['red', 'green', 'blue', 'white'])
  })

  test('with transparency keeps it', async () => {
    const picture = await readPicture(await heicFixture('alpha'))
    const alpha = (x: number, y: number) => samplesOf(picture)[(y * picture.width + x) * 4 + 3]
    expect(picture.channels).toBe(4)
    expect([alpha(20, 60), alpha(140, 60)]).toEqual([expect.closeTo(255, -0.7), expect.closeTo(64, -0.7)])
  })

  test('is turned and mirrored by its own properties, once, and never by EXIF', async () => {
    const straight = await heicFixture('p3')
    const turned = await heicFixture('turned')
    // EXIF of this one says 6: a reader that minds it turns it back to red, green, blue, white.
    expect(await corners(turned)).toEqual(['green', 'white', 'red', 'blue'])
    expect(await corners(withProperties(straight, irot(1)))).toEqual(['green', 'white', 'red', 'blue'])
    expect(await corners(withProperties(turned, irot(3)))).toEqual(['red', 'green', 'blue', 'white'])
    expect(await corners(withProperties(straight, imir(1)))).toEqual(['green', 'red', 'white', 'blue'])
    expect(await corners(withProperties(straight, irot(2), imir(0)))).toEqual(['green', 'red', 'white', 'blue'])
    expect(await inspectPicture(withProperties(straight, irot(1)))).toMatchObject({ width: 120, height: 160 })
  })

  test('with colours by code points: Display P3 gets its profile, what is unknown a word', async () => {
    const file = await heicFixture('p3')
    const p3 = await readPicture(withProperties(file, nclx(12, 13)))
    expect(p3.profile).toMatch(/P3/)
    const srgb = await readPicture(withProperties(file, nclx(1, 13)))
    expect(srgb).toMatchObject({ profile: null, notes: [] })
    const wide = await readPicture(withProperties(file, nclx(9, 16)))
    expect(wide.profile).toBeNull()
    expect(wide.notes).toEqual([expect.stringContaining('9/16')])
  })

  test('cut short or damaged is coded, and the next one is read', async () => {
    const whole = await heicFixture('p3')
    for (const share of [0.02, 0.3, 0.6, 0.95]) {
      const file = whole.subarray(0, Math.floor(whole.length * share))
      await expect(readForIndex(file, 'cut.heic'), String(share)).rejects.toMatchObject({
        code: expect.stringMatching(/^PICTURE_(TRUNCATED|CORRUPT)$/),
        path: 'cut.heic',
      })
    }
    expect(await readForIndex(whole)).toMatchObject({ width: 160 })
  })
})
