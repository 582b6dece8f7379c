import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDecoder, type DecoderChild, type PictureDecoder } from '../../../core/decoder/index.ts'
import { VIEW_PX } from '../../../core/contract/index.ts'
import { spawnNodeDecoder } from '../../../core/decoder/node.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { createRandom } from '../../../core/random.ts'
import { sharedData } from '../../support/data.ts'
import { heicFixture } from '../../support/heif.ts'
import { absurdSizes, traps } from '../../support/hostile.ts'
import { mutate } from '../../support/mutate.ts'
import { makePhoto, temporaryFolder } from '../../support/pictures.ts'
import { RAW_SAMPLES } from '../../support/raw.ts'
import { cameraExif } from '../images/samples.ts'

/** Damaged copies of each sample; for a longer look: `LUCIDEX_FUZZ=500 LUCIDEX_FUZZ_SEED=7 npx vitest run …`. */
const COPIES = Number(process.env.LUCIDEX_FUZZ ?? 16)
const SEED = Number(process.env.LUCIDEX_FUZZ_SEED ?? 20_261_121)

const folder = await temporaryFolder()
const size = { width: 96, height: 64 }
const children: DecoderChild[] = []

let decoder: PictureDecoder
let samples: Record<string, Buffer>
let good: string
beforeAll(async () => {
  const entry = new URL('../../../core/decoder/main.ts', import.meta.url)
  decoder = createDecoder({
    spawn: () => {
      children.push(spawnNodeDecoder(entry))
      return children.at(-1)!
    },
    log: silentLog,
    limits: { decodeMs: 20_000, readMs: 20_000, memoryBytes: 1.5 * 2 ** 30 },
    indexers: 2,
  })
  samples = await makeSamples()
  good = join(folder, 'good.jpg')
  await writeFile(good, samples.jpg!)
})
afterAll(() => decoder.close())

async function makeSamples(): Promise<Record<string, Buffer>> {
  const photo = sharp(await makePhoto(createRandom(3), size), { raw: { ...size, channels: 3 } })
  const jpeg = photo.clone().jpeg()
  const plain = await jpeg.toBuffer()
  const preview = { large: plain, small: plain, orientation: 6 }
  return {
    jpg: Buffer.concat([plain.subarray(0, 2), await exifSegment(), plain.subarray(2)]),
    'progressive.jpg': await photo.clone().jpeg({ progressive: true }).withIccProfile('p3').toBuffer(),
    png: await photo.clone().withIccProfile('p3').png().toBuffer(),
    'deep.png': await photo.clone().toColourspace('rgb16').png({ progressive: true }).toBuffer(),
    'lzw.tif': await photo.clone().tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
    'jpeg.tif': await photo.clone().tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer(),
    webp: await photo.clone().withMetadata().webp().toBuffer(),
    'lossless.webp': await photo.clone().webp({ lossless: true }).toBuffer(),
    gif: await photo.clone().gif({ colours: 16 }).toBuffer(),
    avif: await photo.clone().avif({ effort: 0 }).toBuffer(),
    heic: await heicFixture('p3'),
    'deep.heic': await heicFixture('deep'),
    ...Object.fromEntries(Object.entries(RAW_SAMPLES).map(([format, { write }]) => [format, write(preview)])),
  }
}

async function exifSegment(): Promise<Buffer> {
  const exif = await cameraExif(6)
  const head = Buffer.from([0xff, 0xe1, 0, 0, 0x45, 0x78, 0x69, 0x66, 0, 0])
  head.writeUInt16BE(exif.length + 8, 2)
  return Buffer.concat([head, exif])
}

/** `read`, or the code of the failure, which must name the file. */
async function outcome(file: string, read: (file: string) => Promise<unknown> = decoder.readForIndex): Promise<string> {
  try {
    await read(file)
    return 'read'
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: expect.any(String), path: file })
    return (thrown as { code: string }).code
  }
}

async function written(name: string, bytes: Buffer): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, bytes)
  return file
}

/** What may come of a file that is broken: it is read after all, or it is told what is wrong with it. */
const TOLD = /^(read|FILE_EMPTY|FORMAT_UNKNOWN|FORMAT_UNSUPPORTED|PICTURE_CORRUPT|PICTURE_TRUNCATED|PICTURE_TOO_LARGE)$/

test('absurd sizes are refused by the header, whatever the format', async () => {
  for (const { name, bytes } of absurdSizes(samples.jpg!)) {
    const file = await written(name, bytes)
    const started = performance.now()
    expect(`${name} ${await outcome(file)}`).toMatch(/ PICTURE_(TOO_LARGE|CORRUPT|TRUNCATED)$/)
    expect(performance.now() - started, name).toBeLessThan(5_000)
  }
  expect(await outcome(good)).toBe('read')
})

test('what unfolds, goes round in circles or never ends costs one file at most', async () => {
  for (const { name, bytes } of traps(samples.jpg!)) {
    const file = await written(name, bytes)
    expect(`${name} ${await outcome(file)}`).toMatch(/ (read|PICTURE_\w+|FORMAT_\w+)$/)
    expect(await outcome(file, (path) => decoder.readView(path, VIEW_PX)), name).toMatch(TOLD)
  }
  expect(await outcome(good)).toBe('read')
})

describe('damaged copies', () => {
  test('of every format are read or coded, and no process falls', async () => {
    const random = createRandom(SEED)
    const files = await Promise.all(
      Object.entries(samples).flatMap(([name, sample]) =>
        Array.from({ length: COPIES }, (_, index) => written(`${index}-${name}`, mutate(sample, random))),
      ),
    )
    const before = children.length
    const outcomes = await Promise.all(files.map((file, index) => outcome(file, index % 4 === 0 ? decoder.readPicture : undefined)))
    for (const [index, found] of outcomes.entries()) expect(found, files[index]).toMatch(TOLD)
    // The damage is real: some are refused, and some survive it.
    expect(new Set(outcomes).size).toBeGreaterThan(3)
    expect(outcomes.filter((found) => found === 'read').length).toBeGreaterThan(20)
    // Besides those that were ended for want of work.
    expect(children.length - before).toBeLessThanOrEqual(3)
    expect(await outcome(good)).toBe('read')
  })

  test('in a folder are failures of the index, and the good picture is indexed', async () => {
    const suite = sharedData('robust/pngsuite')
    if (!suite) return console.warn('robust/pngsuite is not there: set LUCIDEX_DATA')
    await mkdir(join(folder, 'suite'), { recursive: true })
    const names = (await readdir(suite)).filter((name) => name.startsWith('x') && name.endsWith('.png'))
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(await outcome(join(suite, name)), name).toMatch(TOLD)
    expect(await outcome(good)).toBe('read')
  })
})
