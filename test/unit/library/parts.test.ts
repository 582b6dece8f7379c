import { describe, expect, it } from 'vitest'
import { Batcher } from '../../../core/library/batcher.ts'
import { covers } from '../../../core/library/folders.ts'
import { Notifier } from '../../../core/library/notifier.ts'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a batcher', () => {
  it('hands on full batches in order, one at a time, and makes the adder wait', async () => {
    const batches: number[][] = []
    let running = 0
    const batcher = new Batcher<number>(3, 10_000, async (batch) => {
      expect(++running).toBe(1)
      await wait(5)
      running--
      batches.push(batch)
    })
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((number) => batcher.add(number)))
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    await batcher.flush()
    expect(batches[2]).toEqual([7])
  })

  it('hands on early what has waited long', async () => {
    const batches: number[][] = []
    const batcher = new Batcher<number>(100, 20, async (batch) => void batches.push(batch))
    await batcher.add(1)
    await batcher.add(2)
    await wait(60)
    expect(batches).toEqual([[1, 2]])
  })

  it('fails for good when a batch fails', async () => {
    const batcher = new Batcher<number>(1, 1000, async () => {
      throw new Error('disk full')
    })
    await expect(batcher.add(1)).rejects.toThrow('disk full')
    await expect(batcher.flush()).rejects.toThrow('disk full')
  })
})

it('a notifier tells at most once in its interval, and never forgets the last', async () => {
  const notifier = new Notifier(60)
  const times: number[] = []
  notifier.listen(() => times.push(performance.now()))
  for (const end = performance.now() + 150; performance.now() < end; await wait(4)) notifier.notify()
  const sofar = times.length
  expect(sofar).toBeGreaterThanOrEqual(2)
  for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(55)
  notifier.notify()
  await wait(100)
  expect(times.length).toBeGreaterThan(sofar)
  notifier.close()
})

it.each([
  ['/a/b', '/a/b', true],
  ['/a/b', '/a/b/c', true],
  ['/a/b', '/a/bc', false],
  ['/a/b/c', '/a/b', false],
  ['/', '/a', true],
])('%s covers %s: %s', (outer, inner, expected) => {
  expect(covers(outer, inner)).toBe(expected)
})
