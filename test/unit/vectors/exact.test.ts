import { expect, it } from 'vitest'
import { createRandom } from '../../../core/random.ts'
import { scanExact } from '../../../core/vectors/exact.ts'
import { VectorStore } from '../../../core/vectors/store.ts'
import { TopK } from '../../../core/vectors/topK.ts'
import { longestHold } from '../../support/loopHold.ts'

function filled(count: number, dimension: number, seed = 1) {
  const random = createRandom(seed)
  const store = new VectorStore(dimension)
  for (let i = 0; i < count; i++)
    store.add(
      i * 3 + 1,
      i + 100,
      Float32Array.from({ length: dimension }, () => random.normal()),
    )
  return { store, query: Float32Array.from({ length: dimension }, () => random.normal()) }
}

function slowly(store: VectorStore, query: Float32Array, accepts: (row: number) => boolean = () => true) {
  return Array.from({ length: store.count }, (_, row) => ({
    row,
    score: store.vector(row).reduce((sum, value, i) => sum + value * query[i]!, 0),
  }))
    .filter(({ row }) => accepts(row))
    .sort((a, b) => b.score - a.score || a.row - b.row)
}

it.each([1, 7, 60, 5000])('finds the %i best as a full sort does, over slices', async (k) => {
  // 35,000 rows are three slices; 7 numbers do not fill the unrolled loop.
  const { store, query } = filled(35_000, 7)
  const best = new TopK(k)
  await scanExact(store, query, best)
  const expected = slowly(store, query).slice(0, k)
  expect(best.sorted().map(({ row }) => row)).toEqual(expected.map(({ row }) => row))
  expect(best.sorted()[0]!.score).toBeCloseTo(expected[0]!.score, 4)
})

it('looks only at what is accepted, and between the given rows', async () => {
  const { store, query } = filled(2000, 8)
  const best = new TopK(10)
  await scanExact(store, query, best, { from: 500, to: 1500, accepts: (row) => row % 2 === 0 })
  const expected = slowly(store, query, (row) => row >= 500 && row < 1500 && row % 2 === 0).slice(0, 10)
  expect(best.sorted().map(({ row }) => row)).toEqual(expected.map(({ row }) => row))
})

it('puts the earlier of equal ones first', async () => {
  const store = new VectorStore(2)
  for (let i = 0; i < 50; i++) store.add(i + 1, i + 1, Float32Array.of(1, 0))
  const best = new TopK(5)
  await scanExact(store, Float32Array.of(1, 0), best)
  expect(best.sorted().map(({ row }) => row)).toEqual([0, 1, 2, 3, 4])
})

it('gives the loop turns: no slice of a scan holds it for 50 ms', async () => {
  const { store, query } = filled(60_000, 128)
  const longest = await longestHold(() => scanExact(store, query, new TopK(60)))
  expect(longest).toBeLessThan(50)
})

it('knows rows by id and by image, and how many a generation covers', () => {
  const { store } = filled(1500, 4)
  expect(store.generation).toBe(1499 * 3 + 1)
  expect(store.rowOf(100 + 700)).toBe(700)
  expect(store.rowOfId(700 * 3 + 1)).toBe(700)
  expect(store.rowOfId(700 * 3 + 2)).toBeUndefined()
  expect(store.rowsUpTo(0)).toBe(0)
  expect(store.rowsUpTo(700 * 3 + 2)).toBe(701)
})
