import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { colourHistogram, innerProduct, nearness, principalComponents, rawPixels } from '../../../cli/bench/baselines.ts'
import { between } from '../../../cli/bench/reconstructions.ts'
import { benchSimilar, leaveOneOut } from '../../../cli/bench/similar.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { createRandom } from '../../../core/random.ts'
import { fakeInference } from '../../support/library.ts'

const PX = 112
/** An encoder input of one colour a pixel. */
const input = (colour: (x: number, y: number) => [number, number, number]) =>
  Uint8Array.from({ length: PX * PX * 3 }, (_, at) => colour(Math.floor(at / 3) % PX, Math.floor(at / 3 / PX))[at % 3]!)

describe('baselines', () => {
  it('raw pixels compare by correlation: light and contrast do not matter, a negative is the opposite', () => {
    const ramp = rawPixels(input((x) => [x, x, x]))
    expect(innerProduct(ramp, rawPixels(input((x) => [60 + x / 2, 60 + x / 2, 60 + x / 2])))).toBeCloseTo(1, 3)
    expect(innerProduct(ramp, rawPixels(input((x) => [200 - x, 200 - x, 200 - x])))).toBeCloseTo(-1, 3)
    expect(rawPixels(input(() => [9, 9, 9])).every((value) => value === 0)).toBe(true)
  })

  it('a colour histogram knows colours, not places', () => {
    const left = colourHistogram(input((x) => (x < 56 ? [250, 0, 0] : [0, 0, 250])))
    expect(innerProduct(left, colourHistogram(input((_, y) => (y < 56 ? [0, 0, 250] : [250, 0, 0]))))).toBeCloseTo(1)
    expect(innerProduct(left, colourHistogram(input(() => [250, 0, 0])))).toBeCloseTo(Math.SQRT1_2)
    expect(innerProduct(left, colourHistogram(input(() => [0, 250, 0])))).toBe(0)
  })

  it('principal components keep the directions in which vectors differ most', () => {
    const random = createRandom(5)
    // Two strong directions in ten, the rest faint.
    const vectors = Array.from({ length: 60 }, () =>
      Float32Array.from({ length: 10 }, (_, at) => (at === 3 ? 20 : at === 7 ? 10 : 0.1) * random.normal() + 5),
    )
    const project = principalComponents(vectors, 2)
    for (const vector of vectors.slice(0, 5)) {
      const [along, across] = project(vector)
      const length = Math.hypot(vector[3]! - 5, vector[7]! - 5)
      expect(Math.abs(along!)).toBeCloseTo(Math.abs(vector[3]! - 5) / length, 0)
      expect(Math.hypot(along!, across!)).toBeCloseTo(1)
    }
    expect(principalComponents(vectors.slice(0, 3), 9)(vectors[0]!)).toHaveLength(2)
  })
})

describe('leaveOneOut', () => {
  it('asks by every vector among the others', () => {
    const vectors = [0, 1, 2.5, 10].map((value) => Float32Array.of(value))
    // Of 0: 1 right, then wrong. Of 1: 0 right. Of 2.5: wrong (1), wrong (0), right (10). Of 10: right (2.5).
    const { precisionAt10, meanAveragePrecision } = leaveOneOut(vectors, [0, 0, 1, 1], nearness)
    expect(precisionAt10).toBeCloseTo(1 / 3)
    expect(meanAveragePrecision).toBeCloseTo((1 + 1 + 1 / 3 + 1) / 4)
  })

  it('asks for no class of one', () => {
    const vectors = [0, 1, 5].map((value) => Float32Array.of(value))
    expect(leaveOneOut(vectors, [0, 0, 1], nearness)).toEqual({ precisionAt10: 0.5, meanAveragePrecision: 1 })
  })
})

it('bench similar takes the last classes by name, and no background for one', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lucidex-similar-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [place, hue] of [
    ['BACKGROUND_Google', 0],
    ['a', 60],
    ['b', 120],
    ['c', 240],
  ] as const) {
    await mkdir(path.join(folder, place))
    for (let index = 0; index < 4; index++) {
      const data = Uint8Array.from({ length: 48 }, (_, at) => (hue + 37 * Math.floor(at / 12) + 11 * index) % 256)
      await sharp(data, { raw: { width: 4, height: 4, channels: 3 } })
        .resize(64, 64)
        .png()
        .toFile(path.join(folder, place, `${index}.png`))
    }
  }
  const report = await benchSimilar({ data: folder, last: 2 }, fakeInference(), silentLog)
  expect(report).toMatchObject({ classes: ['b', 'c'], pictures: 8 })
  for (const method of report.methods) {
    expect(method.precisionAt10).toBeCloseTo(3 / 7)
    expect(method.meanAveragePrecision).toBeGreaterThan(0.4)
  }
  await expect(benchSimilar({ data: path.join(folder, 'a') }, fakeInference(), silentLog)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})

it('between two descriptors every step has length 1 and equal angles', () => {
  const [a, b] = [Float32Array.of(1, 0, 0), Float32Array.of(0, 0.6, 0.8)]
  const middle = between(a, b, 0.5)
  expect(innerProduct(middle, middle)).toBeCloseTo(1)
  expect(innerProduct(middle, a)).toBeCloseTo(innerProduct(middle, b))
  expect([...between(a, a, 0.3)]).toEqual([...a])
})
