import { describe, expect, it } from 'vitest'
import { cellPosition, layoutGrid, moveByKey, scrollToShow, visibleCells } from '../../renderer/src/features/library/gridLayout.ts'

describe('the grid', () => {
  const layout = layoutGrid(50_000, 1024, 160, 4, 12)

  it('fills its width exactly', () => {
    const last = cellPosition(layout, layout.columns - 1)
    expect(last.x + layout.cell + layout.padding).toBeCloseTo(1024, 6)
    expect(layout.cell).toBeGreaterThan(130)
    expect(layout.cell).toBeLessThan(190)
  })

  it('shows a bounded number of cells wherever it is scrolled', () => {
    const most = layout.columns * (Math.ceil(800 / layout.cell) + 1 + 2 * 2)
    for (const top of [0, 77, 12_345, layout.height / 2, layout.height - 800, layout.height * 2]) {
      const { first, last } = visibleCells(layout, 50_000, top, 800, 2)
      expect(last - first + 1).toBeLessThanOrEqual(most)
    }
  })

  it('shows every cell that reaches into the window', () => {
    const top = 5_000
    const { first, last } = visibleCells(layout, 50_000, top, 800, 0)
    const missed = Array.from({ length: 1_000 }, (_, index) => index).filter((index) => {
      const { y } = cellPosition(layout, index)
      return y + layout.cell > top && y < top + 800 && (index < first || index > last)
    })
    expect(missed).toEqual([])
  })

  it('holds the last item at the very end of the scroll', () => {
    const { last } = visibleCells(layout, 50_000, layout.height - 800, 800, 0)
    expect(last).toBe(49_999)
    expect(cellPosition(layout, 49_999).y + layout.cell + layout.padding).toBeCloseTo(layout.height, 6)
  })

  it('shows as many rows wherever it is scrolled, so that elements can be reused', () => {
    const sizes = [0, 1_234, 77_777, layout.height / 3].map((top) => {
      const { first, last } = visibleCells(layout, 50_000, top, 800, 2)
      return last - first + 1
    })
    expect(new Set(sizes).size).toBe(1)
  })

  it('stays within the height that a browser can lay out', () => {
    for (const width of [300, 460, 1600]) {
      const many = layoutGrid(1_000_000, width, 320, 4, 12)
      expect(many.height).toBeLessThan(2 ** 25)
      expect(cellPosition(many, 999_999).y + many.cell).toBeLessThan(many.height)
    }
    expect(layoutGrid(50_000, 460, 320, 4, 12).columns).toBe(1)
  })

  it('says that nothing is visible of an empty list', () => {
    const { first, last } = visibleCells(layoutGrid(0, 1024, 160, 4, 12), 0, 0, 800, 2)
    expect(last).toBeLessThan(first)
  })

  it('scrolls only as far as needed', () => {
    expect(scrollToShow(layout, layout.columns, 0, 800)).toBe(0)
    const far = scrollToShow(layout, 4_000, 0, 800)
    const { y } = cellPosition(layout, 4_000)
    expect(y).toBeGreaterThanOrEqual(far)
    expect(y + layout.cell).toBeLessThanOrEqual(far + 800)
  })
})

describe('moving by keys', () => {
  // 10 items in 4 columns: the last row holds two.
  const move = (key: string, index: number) => moveByKey(key, index, 10, 4, 2)

  it('moves in rows and columns and stops at the ends', () => {
    expect(move('ArrowRight', 3)).toBe(4)
    expect(move('ArrowLeft', 0)).toBe(0)
    expect(move('ArrowDown', 1)).toBe(5)
    expect(move('ArrowUp', 2)).toBe(2)
    expect(move('ArrowDown', 9)).toBe(9)
    expect(move('Home', 7)).toBe(0)
    expect(move('End', 0)).toBe(9)
  })

  it('reaches a short last row from above it', () => {
    expect(move('ArrowDown', 7)).toBe(9)
  })

  it('starts at the first item and leaves other keys alone', () => {
    expect(move('ArrowDown', -1)).toBe(0)
    expect(move('x', 3)).toBeUndefined()
    expect(moveByKey('ArrowDown', -1, 0, 4, 2)).toBeUndefined()
  })
})
