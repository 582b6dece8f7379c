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
  it('fetches the pages that are shown, then those beside them', async () => {
    const { list, waiting, next } = byHand(50_000)
    list.show(0, 30)
    expect(waiting.map((request) => request.page)).toEqual([0])
    await next().answer()
    expect(list.total).toBe(50_000)
    expect(waiting.map((request) => request.page)).toEqual([1])
    await next().answer()
    list.show(10_190, 10_230)
    expect(waiting.map((request) => request.page)).toEqual([50, 51])
    await next().answer()
    await next().answer()
    expect(list.at(10_205)).toBe(10_205)
    expect(waiting.map((request) => request.page)).toEqual([52, 49])
    expect(list.at(9_000)).toBeUndefined()
  })

  it('does not fetch what was passed while scrolling fast', async () => {
    const { list, waiting, next } = byHand(50_000)
    list.show(0, 30)
    await next().answer()
    await next().answer()
    for (let index = 1_000; index <= 20_000; index += 1_000) list.show(index, index + 30)
    expect(waiting.length).toBeLessThanOrEqual(2)
    await next().answer()
    await next().answer()
    expect(waiting.map((request) => request.page)).toEqual([100, 101])
  })

  it('keeps what is shown until all of it is read again', async () => {
    const { list, next } = byHand(1_000)
    list.show(190, 210)
    await next().answer()
    await next().answer()
    await next().answer()
    list.refresh()
    expect(list.at(195)).toBe(195)
    await next().answer(1)
    await next().answer(1)
    expect([list.at(195), list.at(205)]).toEqual([195, 205])
    await next().answer(1)
    expect([list.at(195), list.at(205)]).toEqual([196, 206])
    expect(list.indexOf((value) => value === 196)).toBe(195)
  })

  it('reads once more when the data changes while it is read again', async () => {
    const { list, waiting, next } = byHand(100)
    list.show(0, 30)
    await next().answer()
    list.refresh()
    list.refresh()
    list.refresh()
    expect(waiting.length).toBe(1)
    await next().answer(1)
    expect(list.at(5)).toBe(6)
    await next().answer(2)
    expect(list.at(5)).toBe(7)
    expect(waiting).toEqual([])
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
    const { list, waiting, next } = byHand(200_000)
    for (let page = 0; page < 60; page++) {
      list.show(page * PAGE_SIZE, page * PAGE_SIZE + 10)
      while (waiting.length > 0) await next().answer()
    }
    const held = Array.from({ length: 61 }, (_, page) => list.at(page * PAGE_SIZE)).filter((item) => item !== undefined)
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
