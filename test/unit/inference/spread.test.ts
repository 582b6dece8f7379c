import { describe, expect, test } from 'vitest'
import { expectedError } from '../../../core/inference/index.ts'
import { mirrorRows, spreadOf, windowAround } from '../../../core/inference/spread.ts'

test('a window holds its part and the margin, in whole strides', () => {
  for (const part of [
    { x: 0, y: 8, width: 24, height: 40 },
    { x: 704, y: 312, width: 353, height: 8 },
  ]) {
    const { x, y, width, height } = windowAround(part, { stride: 16, margin: 32 })
    expect([x % 16, y % 16, width % 16, height % 16].map(Math.abs)).toEqual([0, 0, 0, 0])
    expect(x).toBeLessThanOrEqual(part.x - 32)
    expect(y).toBeLessThanOrEqual(part.y - 32)
    expect(x + width).toBeGreaterThanOrEqual(part.x + part.width + 32)
    expect(y + height).toBeGreaterThanOrEqual(part.y + part.height + 32)
    expect(width).toBeLessThan(part.width + 2 * 32 + 2 * 16)
  }
})

test('mirroring twice is nothing; once turns every row', () => {
  const planes = Float32Array.from({ length: 12 }, (_, index) => index)
  const once = planes.slice()
  mirrorRows(once, 4)
  expect([...once]).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8])
  mirrorRows(once, 4)
  expect(once).toEqual(planes)
})

test('the spread of a cell is half the difference there, and only there', () => {
  const window = { x: -16, y: 0, width: 48, height: 32 }
  const part = { x: 0, y: 8, width: 20, height: 16 }
  const size = window.width * window.height
  const first = new Float32Array(3 * size).fill(0.5)
  const second = first.slice()
  // The third cell of the second row: columns 16 to 19, rows 16 to 23 of the picture, all three planes.
  for (let plane = 0; plane < 3; plane++)
    for (let y = 16; y < 24; y++)
      for (let x = 16; x < 20; x++) second[plane * size + (y - window.y) * window.width + x - window.x]! += 10 / 255
  expect(Array.from(spreadOf(first, second, window, part), (value) => Number(value.toFixed(4)))).toEqual([0, 0, 0, 0, 0, 5])
})

describe('a curve', () => {
  const knots: [number, number][] = [
    [1, 2],
    [3, 4],
    [5, 10],
  ]
  test.each([
    [0, 2],
    [1, 2],
    [2, 3],
    [4, 7],
    [5, 10],
    [10, 20],
  ])('spread %d is read as an error of %d, both in units of σ', (spread, error) => {
    for (const sigma of [1, 7]) expect(expectedError(knots, spread * sigma, sigma)).toBeCloseTo(error * sigma)
  })
})
