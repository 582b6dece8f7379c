import { describe, expect, it } from 'vitest'
import { PAGE_SIZE, PagedList } from '../../renderer/src/features/library/pagedList.svelte.ts'

/** A list of numbers whose requests are answered by hand. */
function byHand(total: number) {
  const waiting: { page: number; answer: (shift?: number) => Promise<void>; refuse: () => Promise<void> }[] = []
  const list = new PagedList<number>(
    (offset, limit) =>
      new Promise((resolve, reject) => {
        waiting.push({
          page: offset / PAGE_SIZE,
          async answer(shift = 0) {
            resolve({ total, items: Array.from({ length: Math.min(limit, total - offset) }, (_, index) => offset + index + shift) })
            await settle()
          },
          async refuse() {
            reject(new Error('gone'))
            await settle()
          },
        })
      }),
  )
  return { list, waiting, next: () => waiting.shift()! }
}
const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('PagedList', () => {
  it('fetches only the pages that are shown', async () => {
    const { list, waiting, next } = byHand(50_000)
    list.show(0, 30)
    expect(waiting.map((request) => request.page)).toEqual([0])
    await next().answer()
    expect(list.total).toBe(50_000)
    list.show(10_190, 10_230)
    expect(waiting.map((request) => request.page)).toEqual([50, 51])
    await next().answer()
    await next().answer()
    expect(list.at(10_205)).toBe(10_205)
    expect(list.at(9_000)).toBeUndefined()
  })

  it('does not fetch what was passed while scrolling fast', async () => {
    const { list, waiting, next } = byHand(50_000)
    list.show(0, 30)
    await next().answer()
    for (let index = 1_000; index <= 20_000; index += 1_000) list.show(index, index + 30)
    expect(waiting.length).toBeLessThanOrEqual(2)
    await next().answer()
    await next().answer()
    expect(waiting.map((request) => request.page)).toEqual([100])
  })

  it('keeps what is shown while it is read again', async () => {
    const { list, next } = byHand(1_000)
    list.show(0, 30)
    await next().answer()
    list.refresh()
    expect(list.at(5)).toBe(5)
    await next().answer(1)
    expect(list.at(5)).toBe(6)
  })

  it('drops answers to an earlier question', async () => {
    const { list, next } = byHand(1_000)
    list.show(0, 30)
    const late = next()
    list.reset()
    await late.answer()
    expect(list.total).toBeNull()
    await next().answer(7)
    expect(list.at(0)).toBe(7)
  })

  it('holds a bounded number of pages', async () => {
    const { list, next } = byHand(200_000)
    for (let page = 0; page < 60; page++) {
      list.show(page * PAGE_SIZE, page * PAGE_SIZE + 10)
      await next().answer()
    }
    const held = Array.from({ length: 60 }, (_, page) => list.at(page * PAGE_SIZE)).filter((item) => item !== undefined)
    expect(held.length).toBe(40)
    expect(list.at(59 * PAGE_SIZE)).toBeDefined()
  })

  it('tells a failure once and tries again when asked', async () => {
    const { list, waiting, next } = byHand(1_000)
    list.show(0, 30)
    await next().refuse()
    expect(list.error).toBeInstanceOf(Error)
    expect(waiting).toEqual([])
    list.show(0, 30)
    await next().answer()
    expect(list.error).toBeNull()
    expect(list.total).toBe(1_000)
  })
})
