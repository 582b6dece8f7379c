import { expect, test } from 'vitest'
import { readSigma, type NoiseMap } from '../../../core/inference/noiseMap.ts'
import { planTiles } from '../../../core/inference/tiling.ts'

function mapOf(columns: number, rows: number, of: (column: number, row: number) => number): NoiseMap {
  const sigma = new Float32Array(new SharedArrayBuffer(4 * columns * rows))
  for (let index = 0; index < sigma.length; index++) sigma[index] = of(index % columns, Math.floor(index / columns))
  return { sigma, columns, rows, cell: 16 }
}

test('one σ fills the plane, in units of full scale', () => {
  const plane = new Float32Array(12)
  readSigma(25.5, { width: 4, height: 3 }, { x: 0, y: 0, width: 4, height: 3 }, plane)
  expect([...new Set(plane)]).toEqual([Math.fround(0.1)])
})

test('between the middles of cells it is interpolated; beyond them it stays', () => {
  const plane = new Float32Array(48)
  readSigma(
    mapOf(3, 1, (column) => 25.5 * column),
    { width: 48, height: 1 },
    { x: 0, y: 0, width: 48, height: 1 },
    plane,
  )
  expect(plane[0]).toBe(0)
  expect(plane[23]).toBeCloseTo(0.1 * ((23.5 - 8) / 16), 5)
  expect(plane[47]).toBeCloseTo(0.2, 6)
})

test('whatever the tile, a pixel has the σ of its place in the picture; beyond the edge it is mirrored', () => {
  const size = { width: 1000, height: 700 }
  const map = mapOf(63, 44, (column, row) => 5 + ((column * 7 + row * 13) % 11))
  const whole = new Float32Array(size.width * size.height)
  readSigma(map, size, { x: 0, y: 0, ...size }, whole)
  for (const { core, window } of planTiles(size, { stride: 8, margin: 48 }, 'view')) {
    const plane = new Float32Array(window.width * window.height)
    readSigma(map, size, window, plane)
    for (const [x, y] of [
      [core.x, core.y],
      [core.x + core.width - 1, core.y + core.height - 1],
      [Math.max(0, core.x - 20), core.y],
    ] as const) {
      expect(plane[(y - window.y) * window.width + x - window.x]).toBeCloseTo(whole[y * size.width + x]!, 6)
    }
    if (window.x < 0) expect(plane[(core.y - window.y) * window.width - window.x - 3]).toBeCloseTo(whole[core.y * size.width + 3]!, 6)
  }
})
