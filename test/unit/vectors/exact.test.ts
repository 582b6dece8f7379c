import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../core/random.ts'
import { scanExact } from '../../../core/vectors/exact.ts'
import { ImageSet } from '../../../core/vectors/imageSet.ts'
import { decode, encodeQuery, UNIT, VectorStore } from '../../../core/vectors/store.ts'
import { TopK } from '../../../core/vectors/topK.ts'
import { unit } from '../../support/library.ts'

/** Vectors with ids 1, 4, 7 … and images 100, 101 …, and the floats they were made of. */
function filled(count: number, dimension: number, seed = 1) {
  const random = createRandom(seed)
  const make = () => unit(Float32Array.from({ length: dimension }, () => random.normal()))
  const vectors = Array.from({ length: count }, make)
  const store = new VectorStore(dimension)
  for (const [row, vector] of vectors.entries()) store.append(row * 3 + 1, row + 100, vector)
  return { store, vectors, query: make() }
}

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
}

/** Rows by a full sort of floats. */
function slowly(vectors: Float32Array[], query: Float32Array, accepts: (row: number) => boolean = () => true) {
  return vectors
    .map((vector, row) => ({ row, score: product(vector, query) }))
    .filter(({ row }) => accepts(row))
    .sort((a, b) => b.score - a.score || a.row - b.row)
}

async function scan(store: VectorStore, query: Float32Array, k: number, options?: Parameters<typeof scanExact>[3]) {
  const best = new TopK(k)
  await scanExact(store, encodeQuery(query), best, options)
  return best.sorted()
}

it.each([1, 32, 60])('finds what a full sort of the floats finds, over slices, and scores it alike (k = %i)', async (k) => {
  // 35,000 rows are three slices; 40 numbers do not fill the kernel's steps of 32.
  const { store, vectors, query } = filled(35_000, 40)
  const found = await scan(store, query, k)
  const expected = slowly(vectors, query)
  const least = expected[k - 1]!.score
  for (const [at, { row, score }] of found.entries()) {
    expect(score / UNIT).toBeCloseTo(expected[at]!.score, 4)
    // Neighbours may change places where their scores differ by less than rounding does.
    expect(product(vectors[row]!, query)).toBeGreaterThan(least - 1e-4)
  }
  expect(found).toHaveLength(k)
})

it('sums whole numbers exactly, at every place and to the largest', async () => {
  for (const dimension of [1, 31, 32, 33, 128]) {
    const store = new VectorStore(dimension)
    for (let i = 0; i < dimension; i++)
      store.append(
        i + 1,
        i + 1,
        Float32Array.from({ length: dimension }, (_, at) => (at === i ? -1 : 0)),
      )
    const query = Float32Array.from({ length: dimension }, (_, at) => (at + 1) / dimension / 20)
    const codes = encodeQuery(query)
    const found = await scan(store, query, dimension)
    expect(found.map(({ row, score }) => [row, score])).toEqual(Array.from(codes, (code, row) => [row, -32_767 * code]))
  }
})

describe('what is looked at', () => {
  it('is only between the given rows', async () => {
    const { store, vectors, query } = filled(2000, 16)
    const found = await scan(store, query, 10, { from: 500, to: 1500 })
    const expected = slowly(vectors, query, (row) => row >= 500 && row < 1500)
    expect(found.map(({ row }) => row)).toEqual(expected.slice(0, 10).map(({ row }) => row))
  })

  it.each([1, 3, 40, 20_000])('is one image of %i, wherever they are', async (every) => {
    const { store, vectors, query } = filled(20_000, 16)
    const images = new ImageSet(Uint32Array.from({ length: 20_000 / every }, (_, at) => at * every + 100).reverse())
    const found = await scan(store, query, 10, { images })
    const expected = slowly(vectors, query, (row) => row % every === 0).slice(0, 10)
    expect(found.map(({ row }) => row)).toEqual(expected.map(({ row }) => row))
  })

  it('is nothing when no image is wanted', async () => {
    const { store, query } = filled(20, 16)
    expect(await scan(store, query, 10, { images: new ImageSet(new Uint32Array(0)) })).toEqual([])
  })

  it('is not what was removed, before rows are closed up and after', async () => {
    const { store, vectors, query } = filled(3000, 16)
    const [nearest] = slowly(vectors, query)
    const others = Array.from({ length: 1000 }, (_, i) => i * 3 + 100)
    const removed = store.remove(new Set([nearest!.row + 100, ...others]))
    expect(removed).toContain(nearest!.row * 3 + 1)
    const isLeft = (row: number) => row !== nearest!.row && row % 3 !== 0
    const expected = slowly(vectors, query, isLeft).slice(0, 5)
    const found = (await scan(store, query, 5)).map(({ row }) => store.image(row) - 100)
    expect(found).toEqual(expected.map(({ row }) => row))
    expect([store.isWorn, store.count, store.size]).toEqual([true, 3000, vectors.filter((_, row) => isLeft(row)).length])

    store.compact()
    expect([store.isWorn, store.count]).toEqual([false, store.size])
    const again = await scan(store, query, 5)
    expect(again.map(({ row }) => store.image(row) - 100)).toEqual(expected.map(({ row }) => row))
    expect(again.map(({ row }) => store.rowOfId(store.id(row)))).toEqual(again.map(({ row }) => row))
    expect(store.rowOfId(nearest!.row * 3 + 1)).toBeUndefined()
  })
})

it('puts the earlier of equal ones first', async () => {
  const store = new VectorStore(2)
  for (let i = 0; i < 50; i++) store.append(i + 1, i + 1, Float32Array.of(1, 0))
  expect((await scan(store, Float32Array.of(1, 0), 5)).map(({ row }) => row)).toEqual([0, 1, 2, 3, 4])
})

it('knows rows by id, and how many an id covers', () => {
  const { store, vectors } = filled(1500, 4)
  expect(store.lastId).toBe(1499 * 3 + 1)
  expect(store.rowOfId(700 * 3 + 1)).toBe(700)
  expect(store.rowOfId(700 * 3 + 2)).toBeUndefined()
  expect(store.rowsUpTo(0)).toBe(0)
  expect(store.rowsUpTo(700 * 3 + 2)).toBe(701)
  expect(product(decode(store.code(700)), vectors[700]!)).toBeCloseTo(1, 3)
})
