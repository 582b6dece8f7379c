import { expect, test } from 'vitest'
import { smoothByPlaceAndBrightness, type Observation } from '../../../core/denoise/bilateralGrid.ts'
import { createRandom } from '../../../core/random.ts'

const [columns, rows] = [48, 32]

/** One observation for each cell. */
function observe(level: (column: number, row: number) => number, weight = (_column: number, _row: number) => 1): Observation[] {
  return Array.from({ length: columns * rows }, (_, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)]
    return { column, row, level: level(column, row), weight: weight(column, row) }
  })
}
const brightnessOf = (of: (column: number, row: number) => number) =>
  Float32Array.from({ length: columns * rows }, (_, index) => of(index % columns, Math.floor(index / columns)))

test('uniform levels stay as they are, and chance errors of single cells go', () => {
  const random = createRandom(1)
  const brightness = brightnessOf((column, row) => (column + row) / (columns + rows))
  for (const level of smoothByPlaceAndBrightness(
    observe(() => 3),
    { columns, rows, brightness, spread: 8 },
  ))
    expect(level).toBeCloseTo(3, 5)
  const errors = smoothByPlaceAndBrightness(
    observe(() => 3 + 0.3 * random.normal()),
    { columns, rows, brightness, spread: 8 },
  ).map((level) => Math.abs(level - 3))
  expect(Math.max(...errors)).toBeLessThan(0.2)
})

test('levels follow the brightness, even where bright and dark lie side by side', () => {
  const bright = (column: number) => (column % 4 < 2 ? 0.1 : 0.9)
  const levels = smoothByPlaceAndBrightness(
    observe((column) => (bright(column) > 0.5 ? 2 : 4)),
    { columns, rows, brightness: brightnessOf(bright), spread: 8 },
  )
  for (const [index, level] of levels.entries()) expect(Math.abs(level - (bright(index % columns) > 0.5 ? 2 : 4))).toBeLessThan(0.4)
})

test('where certainty is low the certain ones decide', () => {
  const sure = (column: number) => column < columns / 2
  const levels = smoothByPlaceAndBrightness(
    observe(
      (column) => (sure(column) ? 2 : 5),
      (column) => (sure(column) ? 1 : 0.001),
    ),
    { columns, rows, brightness: brightnessOf(() => 0.5), spread: 8 },
  )
  expect(levels[columns - 1]).toBeLessThan(3)
  expect(levels[0]).toBeCloseTo(2, 1)
})

test('where nothing was seen it is the mean', () => {
  const levels = smoothByPlaceAndBrightness([{ column: 0, row: 0, level: 2, weight: 1 }], {
    columns,
    rows,
    brightness: brightnessOf(() => 0.5),
    spread: 4,
  })
  expect(levels.at(-1)).toBeCloseTo(2, 5)
})
