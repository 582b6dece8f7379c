import { describe, expect, it } from 'vitest'
import { reuseCells, type Cell } from '../../renderer/src/features/library/cells.ts'

type Item = { id: number }
const items = Array.from({ length: 1000 }, (_, index) => ({ id: index + 1 }))
const at = (index: number): Item | undefined => items[index]
const slotOf = (cells: Cell<Item>[], id: number) => cells.find((cell) => cell.item?.id === id)?.slot

describe('reusing the cells of a grid', () => {
  it('shows every place once, with as many elements however far it scrolls', () => {
    let cells = reuseCells<Item>([], 0, 39, at)
    for (const first of [5, 20, 15, 500, 3]) {
      cells = reuseCells(cells, first, first + 39, at)
      expect(cells.map((cell) => cell.index).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, offset) => first + offset))
      expect(cells.map((cell) => cell.slot)).toEqual(Array.from({ length: 40 }, (_, slot) => slot))
      expect(cells.every((cell) => cell.item === at(cell.index))).toBe(true)
    }
  })

  it('leaves what stays on the screen as it is', () => {
    const before = reuseCells<Item>([], 0, 39, at)
    const after = reuseCells(before, 5, 44, at)
    expect(after.filter((cell) => before.includes(cell)).length).toBe(35)
  })

  it('keeps the element of a picture that moves', () => {
    const before = reuseCells<Item>([], 0, 39, at)
    const shifted = reuseCells(before, 0, 39, (index) => (index < 3 ? { id: 5000 + index } : at(index - 3)))
    expect(slotOf(shifted, 10)).toBe(slotOf(before, 10))
    expect(shifted.length).toBe(40)
  })

  it('fills a place in its own element when its picture arrives', () => {
    const empty = reuseCells<Item>([], 0, 9, () => undefined)
    const filled = reuseCells(empty, 0, 9, at)
    expect(filled.map(({ slot, index }) => [slot, index])).toEqual(empty.map(({ slot, index }) => [slot, index]))
  })

  it('holds a picture that two pages claim in both places', () => {
    const cells = reuseCells(reuseCells<Item>([], 0, 3, at), 0, 3, (index) => at(index === 3 ? 0 : index))
    expect(cells.map((cell) => cell.item?.id).sort()).toEqual([1, 1, 2, 3])
    expect(new Set(cells.map((cell) => cell.slot)).size).toBe(4)
  })
})
