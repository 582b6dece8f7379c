import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { MINIATURE_PX, miniatureOf, QUERY_MINIATURE_PX, turnedMiniature } from '../../../core/images/miniature.ts'
import { createRandom } from '../../../core/random.ts'
import { alignment, groundOf, Template } from '../../../core/search/align.ts'
import { raised, SURE, verified } from '../../../core/search/verify.ts'

const [WIDTH, HEIGHT] = [240, 160]

/** A picture with large and small shapes, another for every seed. */
async function scene(seed: number) {
  const random = createRandom(seed)
  const blobs = Array.from({ length: 60 }, () => {
    const grey = Math.round(random.next() * 255)
    const [x, y, rx, ry] = [random.next() * WIDTH, random.next() * HEIGHT, 4 + random.next() * 40, 4 + random.next() * 30]
    return `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="rgb(${grey},${grey},${Math.round(random.next() * 255)})"/>`
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"><rect width="100%" height="100%" fill="#888"/>${blobs.join('')}</svg>`
  return sharp(Buffer.from(svg)).png().toBuffer()
}

const crop = async (png: Buffer, left: number, top: number, width: number, height: number) =>
  sharp(await sharp(png).extract({ left, top, width, height }).png().toBuffer())
    .modulate({ brightness: 0.8 })
    .jpeg({ quality: 30 })
    .toBuffer()

const query = (bytes: Uint8Array) => miniatureOf(bytes, QUERY_MINIATURE_PX)
const stored = (bytes: Uint8Array) => miniatureOf(bytes, MINIATURE_PX)

describe('alignment', () => {
  test('lays a crop of other proportions over its place, and nothing over other pictures', async () => {
    const original = await scene(1)
    const template = new Template(await query(await crop(original, 90, 20, 140, 110)))
    const right = alignment(template, groundOf(await stored(original)))
    const wrong = await Promise.all([2, 3, 4, 5, 6, 7].map(async (seed) => alignment(template, groundOf(await stored(await scene(seed))))))
    expect(right).toBeGreaterThan(0.85)
    expect(Math.max(...wrong)).toBeLessThan(0.65)
  })

  test('says nothing of plain pictures and of the smallest', async () => {
    const plain = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#abc' } })
      .png()
      .toBuffer()
    const picture = await stored(await scene(1))
    expect(alignment(new Template(await query(plain)), groundOf(picture))).toBe(0)
    expect(alignment(new Template(await query(await scene(1))), groundOf(await stored(plain)))).toBe(0)
    expect(alignment(new Template({ width: 1, height: 1, grey: Uint8Array.of(7) }), groundOf(picture))).toBe(0)
    expect(alignment(new Template(await query(await scene(1))), groundOf({ width: 1, height: 1, grey: Uint8Array.of(7) }))).toBe(0)
  })
})

test('a miniature mirrored and turned is that of the mirrored and turned picture', async () => {
  const bytes = await scene(8)
  const miniature = await query(bytes)
  for (const [mirrored, turns] of [
    [true, 0],
    [false, 1],
    [true, 2],
    [true, 3],
  ] as const) {
    const pixels = sharp(miniature.grey, { raw: { width: miniature.width, height: miniature.height, channels: 1 } })
    const flopped = await (mirrored ? pixels.flop() : pixels).png().toBuffer()
    const { data, info } = await sharp(flopped)
      .rotate(turns * 90)
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(turnedMiniature(miniature, { mirrored, turns })).toEqual({ width: info.width, height: info.height, grey: new Uint8Array(data) })
  }
})

describe('the second look', () => {
  test('brings the original of a mirrored crop from far down to the top, and leaves the others', async () => {
    const pictures = await Promise.all(Array.from({ length: 30 }, (_, seed) => scene(seed + 20)))
    const cut = await query(await crop(await sharp(pictures[29]!).flop().png().toBuffer(), 30, 30, 130, 90))
    const looks = [cut, turnedMiniature(cut, { mirrored: true, turns: 0 })]
    const candidates = await Promise.all(pictures.map(async (bytes, at) => ({ score: 0.7 - at / 100, miniature: await stored(bytes) })))
    const scores = await verified(looks, candidates)
    expect(scores.indexOf(Math.max(...scores))).toBe(29)
    expect(scores[29]).toBeGreaterThan(0.8)
    const others = scores.slice(0, 29).map((score, at) => score - candidates[at]!.score)
    expect(Math.min(...others)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...others)).toBeLessThan(0.1)
  })

  test('does without a miniature', async () => {
    const cut = await query(await scene(1))
    expect(await verified([cut], [{ score: 0.4, miniature: undefined }])).toEqual([0.4])
  })

  test('raises a score within its bounds, and the more the better it aligns', () => {
    expect(raised(0.5, 0)).toBe(0.5)
    expect(raised(0.5, 0.8)).toBeGreaterThan(raised(0.5, 0.75))
    expect(raised(0.4, 1)).toBeLessThan(SURE)
    expect(raised(1, 1)).toBe(1)
  })
})
