import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashDistance, readForIndex } from '../../../core/images/index.ts'
import { drawPictures, paintPicture, planPictures } from '../../../scripts/demo/pictures.ts'

describe('the plan', () => {
  const plan = planPictures()

  it('has 200 pictures of different names, kinds, formats and sizes', () => {
    expect(new Set(plan.map(({ file }) => file)).size).toBe(200)
    expect(new Set(plan.map(({ kind }) => kind)).size).toBeGreaterThan(20)
    expect(new Set(plan.map(({ format }) => format))).toEqual(new Set(['jpeg', 'png', 'webp', 'tiff']))
    expect(new Set(plan.map(({ width, height }) => `${width}x${height}`)).size).toBeGreaterThan(8)
    expect(plan.filter(({ exif }) => exif).length).toBeGreaterThan(120)
  })

  it('is the same for the same seed only', () => {
    expect(planPictures(40, 5)).toEqual(planPictures(40, 5))
    expect(planPictures(40, 5)).not.toEqual(planPictures(40, 6))
  })
})

describe('painting', () => {
  // One of each kind, small: the scenes know no absolute size.
  const kinds = [...new Map(planPictures().map((picture) => [picture.kind, { ...picture, width: 180, height: 120 }])).values()]

  it.each(kinds)('$kind is the same for the same seed and another for another', async (picture) => {
    const once = await paintPicture(picture)
    expect(once.equals(await paintPicture(picture))).toBe(true)
    expect(once.equals(await paintPicture({ ...picture, seed: picture.seed + 1 }))).toBe(false)
    const { channels } = await sharp(once).stats()
    // Something is to be seen on it.
    expect(Math.max(...channels.map(({ stdev }) => stdev))).toBeGreaterThan(8)
  })

  it('keeps 16 bits in a TIFF and the date of a photograph', async () => {
    const tiff = planPictures().find(({ format }) => format === 'tiff')!
    const bytes = await paintPicture({ ...tiff, width: 90, height: 60 })
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'tiff', depth: 'ushort', width: 90, height: 60 })
  })
})

describe('drawPictures', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'lucidex-pictures-'))))
  afterAll(() => rm(folder, { recursive: true }))

  it('paints what is missing, keeps what is there, and the library can read it', async () => {
    const files = await drawPictures(folder, { count: 3 })
    expect(files).toHaveLength(3)
    const painted = await stat(files[0]!)
    await rm(files[1]!)
    const told: number[] = []
    expect(await drawPictures(folder, { count: 3, onPicture: (done) => told.push(done) })).toEqual(files)
    expect(told).toEqual([3])
    expect((await stat(files[0]!)).mtimeMs).toBe(painted.mtimeMs)
    expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'))).toEqual([])

    const read = await Promise.all(files.map((file) => readForIndex(file)))
    const [plan] = planPictures(3)
    expect(read[0]).toMatchObject({ width: plan!.width, height: plan!.height })
    const taken = new Date(plan!.exif!.taken.replace(/^(\d+):(\d+):/, '$1-$2-').replace(' ', 'T'))
    expect(read[0]!.metadata).toMatchObject({ camera: expect.stringContaining(plan!.exif!.model), iso: plan!.exif!.iso })
    expect(Math.abs(read[0]!.metadata.takenAt! - taken.getTime())).toBeLessThan(24 * 3600 * 1000)
    expect(hashDistance(read[0]!.perceptualHash, read[1]!.perceptualHash)).toBeGreaterThan(8)
    expect((await readFile(files[0]!)).length).toBeGreaterThan(20_000)
  })
})
