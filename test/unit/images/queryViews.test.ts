import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { findFramed, type RgbPixels } from '../../../core/images/frame.ts'
import { readForSearch } from '../../../core/images/index.ts'
import { QUERY_VIEWS } from '../../../core/images/queryViews.ts'
import { createRandom } from '../../../core/random.ts'

/** Soft blotches of random colours. */
function blotches(width: number, height: number, seed: number): Sharp {
  const random = createRandom(seed)
  const data = Buffer.from(Array.from({ length: 8 * 6 * 3 }, () => 40 + random.integer(200)))
  return sharp(data, { raw: { width: 8, height: 6, channels: 3 } }).resize(width, height, { fit: 'fill', kernel: 'cubic' })
}

const png = (pipeline: Sharp) => pipeline.png().toBuffer()

async function pixels(encoded: Buffer): Promise<RgbPixels> {
  const { data, info } = await sharp(encoded).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** Share of the union that two upright boxes have in common. */
function overlap(found: ReturnType<typeof findFramed>, wanted: { left: number; top: number; width: number; height: number }): number {
  if (!found) return 0
  const [left, top] = [found.x - found.width / 2, found.y - found.height / 2]
  const across = Math.min(left + found.width, wanted.left + wanted.width) - Math.max(left, wanted.left)
  const down = Math.min(top + found.height, wanted.top + wanted.height) - Math.max(top, wanted.top)
  const common = Math.max(0, across) * Math.max(0, down)
  return common / (found.width * found.height + wanted.width * wanted.height - common)
}

describe('findFramed', () => {
  it('finds what lies inside bars and mats', async () => {
    const picture = await png(blotches(90, 60, 1))
    const bars = await pixels(await png(sharp(picture).extend({ top: 30, bottom: 30, background: '#000000' })))
    expect(overlap(findFramed(bars), { left: 0, top: 30, width: 90, height: 60 })).toBeGreaterThan(0.93)
    const mat = await pixels(await png(sharp(picture).extend({ top: 20, bottom: 35, left: 10, right: 25, background: '#ffffff' })))
    expect(overlap(findFramed(mat), { left: 10, top: 20, width: 90, height: 60 })).toBeGreaterThan(0.93)
  })

  it.each([-30, 8, 20])('finds the angle of a picture turned by %i°', async (degrees) => {
    const turned = await pixels(await png(sharp(await png(blotches(120, 80, 2))).rotate(degrees, { background: '#808080' })))
    const found = findFramed(turned)
    expect((found!.angle * 180) / Math.PI).toBeCloseTo(degrees, -0.5)
    expect(found!.width * found!.height).toBeGreaterThan(0.9 * 120 * 80)
    expect(found!.width * found!.height).toBeLessThan(1.1 * 120 * 80)
  })

  it('finds the picture in a window with bars of several colours', async () => {
    const window = sharp({ create: { width: 160, height: 120, channels: 3, background: '#fbfbfc' } }).composite([
      { input: { create: { width: 30, height: 120, channels: 3, background: '#c8ccd2' } }, left: 0, top: 0 },
      { input: { create: { width: 160, height: 12, channels: 3, background: '#30343a' } }, left: 0, top: 0 },
      { input: await png(blotches(84, 63, 3)), left: 50, top: 30 },
    ])
    expect(overlap(findFramed(await pixels(await png(window))), { left: 50, top: 30, width: 84, height: 63 })).toBeGreaterThan(0.9)
  })

  it('finds none around a picture, nor in a blank one', async () => {
    for (const seed of [4, 5, 6]) expect(findFramed(await pixels(await png(blotches(160, 120, seed))))).toBeUndefined()
    expect(findFramed({ data: new Uint8Array(80 * 60 * 3).fill(77), width: 80, height: 60 })).toBeUndefined()
    expect(findFramed({ data: new Uint8Array(3), width: 1, height: 1 })).toBeUndefined()
  })
})

describe('readForSearch', () => {
  const difference = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, value, at) => sum + Math.abs(value - b[at]!), 0) / a.length
  async function viewsOf(encoded: Buffer) {
    const { views, encoderInput } = await readForSearch(encoded)
    return { encoderInput, views: Object.fromEntries(views.map(({ view, input }) => [view.name, input])) }
  }

  it('shows a picture without a frame in every way but that one, the whole first', async () => {
    const { views, encoderInput } = await readForSearch(await png(blotches(200, 150, 7)))
    expect(views.map(({ view }) => view.name)).toEqual(QUERY_VIEWS.map(({ name }) => name).filter((name) => name !== 'framed'))
    expect(views[0]!.input).toEqual(encoderInput)
  })

  it('undoes a mirror and every quarter turn', async () => {
    const upright = await png(blotches(150, 150, 8))
    const { encoderInput } = await viewsOf(upright)
    const undone = async (damaged: Sharp, name: string) => difference((await viewsOf(await png(damaged))).views[name]!, encoderInput)
    expect(await undone(sharp(upright).flop(), 'mirrored')).toBeLessThan(1)
    expect(await undone(sharp(upright).rotate(270), 'turned-90')).toBeLessThan(1)
    expect(await undone(sharp(upright).rotate(180), 'turned-180')).toBeLessThan(1)
    expect(await undone(sharp(upright).rotate(90), 'turned-270')).toBeLessThan(1)
  })

  it('takes a picture out of its frame and sets it upright', async () => {
    const upright = await png(blotches(300, 220, 9))
    const { encoderInput } = await viewsOf(upright)
    const padded = await viewsOf(await png(sharp(upright).extend({ top: 90, bottom: 40, left: 60, right: 60, background: '#101010' })))
    expect(difference(padded.views['framed']!, encoderInput)).toBeLessThan(5)
    const turned = await viewsOf(await png(sharp(upright).rotate(12, { background: '#ffffff' })))
    expect(difference(turned.views['framed']!, encoderInput)).toBeLessThan(8)
    expect(difference(turned.views['whole']!, encoderInput)).toBeGreaterThan(20)
  })
})
