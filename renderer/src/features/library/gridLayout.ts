/** Where the cells of a grid of equal squares lie, and which of them are on the screen. Pixels throughout. */
export interface GridLayout {
  columns: number
  /** Side of a cell: about what was asked for, so that whole cells fill the row. */
  cell: number
  gap: number
  padding: number
  height: number
}

/** Chromium lays out no element past 2²⁵ pixels; a little less leaves room for rounding. */
const MOST_HEIGHT = 33_000_000

export function layoutGrid(count: number, width: number, wanted: number, gap: number, padding: number): GridLayout {
  const inner = Math.max(wanted, width - 2 * padding)
  // Of very many pictures in a narrow window, more columns than were asked for: the last must be reachable.
  const fewest = Math.ceil(Math.sqrt((count * (inner + gap)) / MOST_HEIGHT))
  const columns = Math.max(1, fewest, Math.round((inner + gap) / (wanted + gap)))
  const cell = (inner - gap * (columns - 1)) / columns
  const rows = Math.ceil(count / columns)
  return { columns, cell, gap, padding, height: rows === 0 ? 0 : rows * (cell + gap) - gap + 2 * padding }
}

export function cellPosition(layout: GridLayout, index: number): { x: number; y: number } {
  const step = layout.cell + layout.gap
  return { x: layout.padding + (index % layout.columns) * step, y: layout.padding + Math.floor(index / layout.columns) * step }
}

/**
 * First and last index (inclusive) of the cells that lie within `overscan` rows of the window `top`..`top + height`.
 * Always as many rows, but at the very end, so that scrolling neither makes nor drops elements. Empty: last < first.
 */
export function visibleCells(
  layout: GridLayout,
  count: number,
  top: number,
  height: number,
  overscan: number,
): { first: number; last: number } {
  const step = layout.cell + layout.gap
  const firstRow = Math.max(0, Math.floor((top - layout.padding) / step) - overscan)
  const lastRow = firstRow + Math.ceil(height / step) + 2 * overscan
  return { first: Math.min(count, firstRow * layout.columns), last: Math.min(count, (lastRow + 1) * layout.columns) - 1 }
}

/** The smallest scroll that brings a cell's row into the window. */
export function scrollToShow(layout: GridLayout, index: number, top: number, height: number): number {
  const { y } = cellPosition(layout, index)
  if (y - layout.padding < top) return y - layout.padding
  const bottom = y + layout.cell + layout.padding
  return bottom > top + height ? bottom - height : top
}

/** The index that a key moves to, or undefined when it is no key of the grid. */
export function moveByKey(key: string, index: number, count: number, columns: number, rowsPerPage: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rowsPerPage,
    PageDown: columns * rowsPerPage,
    Home: -count,
    End: count,
  }
  const step = steps[key]
  if (step === undefined || count === 0) return undefined
  if (index < 0) return 0
  const next = index + step
  // A step up or down off the grid stays in its column rather than jumping to an end.
  if (
    (key === 'ArrowUp' && next < 0) ||
    (key === 'ArrowDown' && next >= count && Math.floor(index / columns) === Math.floor((count - 1) / columns))
  ) {
    return index
  }
  return Math.min(count - 1, Math.max(0, next))
}
