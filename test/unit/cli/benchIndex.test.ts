import { expect, it } from 'vitest'
import { main } from '../../../cli/main.ts'
import { draw } from '../../../cli/bench/vectorIndex.ts'
import { clusteredSet, realSet, uniformSet, type VectorSet } from '../../../cli/bench/vectorSets.ts'
import type { IndexBenchReport } from '../../../cli/commands/benchIndex.ts'

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

const nearest = ({ queries, next }: VectorSet, count: number) => {
  const stored = Array.from({ length: count }, next)
  return queries.map((query) => stored.map((vector) => cosine(vector, query)).sort((a, b) => b - a))
}

it('makes vectors whose neighbours mean something, and the same ones every time', () => {
  const [clustered] = nearest(clusteredSet(64, 1, 2000), 2000)
  expect(clustered![9]!).toBeGreaterThan(0.6)
  expect(clustered![1000]!).toBeLessThan(0.3)
  const [uniform] = nearest(uniformSet(64, 1), 2000)
  expect(uniform![0]!).toBeLessThan(0.6)
  expect(nearest(clusteredSet(64, 1, 2000), 50)).toEqual(nearest(clusteredSet(64, 1, 2000), 50))
})

it('takes real descriptors before it varies them, and none of the queries', () => {
  const { queries, next: draws } = uniformSet(32, 40)
  const descriptors = [...queries, ...Array.from({ length: 60 }, draws)]
  const set = realSet(descriptors, 10, 150)
  const stored = Array.from({ length: 150 }, () => set.next())
  expect(stored.slice(0, 90).every((vector) => descriptors.includes(vector) && !set.queries.includes(vector))).toBe(true)
  for (const vector of stored.slice(90)) {
    expect(cosine(vector, vector)).toBeCloseTo(1, 5)
    expect(Math.max(...descriptors.map((descriptor) => cosine(descriptor, vector)))).toBeGreaterThan(0.85)
  }
  expect(set.about).toContain('90 pictures and 60 variations')
})

it('draws each image its own share, evenly', () => {
  const drawn = Array.from({ length: 10_000 }, (_, image) => draw(image + 1))
  for (const share of [0.01, 0.1, 0.5]) expect(drawn.filter((value) => value < share).length / 10_000).toBeCloseTo(share, 1)
  expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true)
})

it('measures a small index', async () => {
  const out: string[] = []
  const io = { print: (text: string) => void out.push(text), note() {}, progress() {}, env: {}, onInterrupt: () => () => {} }
  expect(await main(['bench', 'index', '--count', '1000', '--dim', '32', '--json'], io)).toBe(0)
  const report = JSON.parse(out.join('\n')) as IndexBenchReport
  expect(report).toMatchObject({ count: 1000, dimension: 32, serve: { method: 'exact' } })
  // Where two differ by less than rounding does, either may be the tenth.
  for (const recall of [report.recallAt10, ...report.serve.filtered.map(({ recallAt10 }) => recallAt10)])
    expect(recall).toBeGreaterThan(0.99)
  expect(report.serve.ingesting.vectorsPerSecond).toBeGreaterThan(50)
  expect(report.openSeconds).toBeLessThan(10)
}, 90_000)
