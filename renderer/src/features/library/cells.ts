/** One element of a virtual grid: the place that it shows now. */
export interface Cell<T> {
  /** Which element it is; stays with it for as long as it is on the screen. */
  slot: number
  index: number
  /** Undefined while its page is not there. */
  item: T | undefined
}

/**
 * The cells for the places `first` to `last` (inclusive), made of those before. A picture keeps its element
 * wherever it moves, so that nothing flashes when pictures come in above it; elements of pictures that left
 * are given to those that came, so that scrolling makes and drops none. Cells that did not change stay the
 * same objects. In the order of their slots.
 */
export function reuseCells<T extends { id: number }>(
  before: Cell<T>[],
  first: number,
  last: number,
  at: (index: number) => T | undefined,
): Cell<T>[] {
  const byId = new Map<number, Cell<T>>()
  const byIndex = new Map<number, Cell<T>>()
  for (const cell of before) {
    if (cell.item) byId.set(cell.item.id, cell)
    byIndex.set(cell.index, cell)
  }
  const free = new Set(before)
  const cells: Cell<T>[] = []
  const waiting: { index: number; item: T | undefined }[] = []
  const keep = (cell: Cell<T>, index: number, item: T | undefined) => {
    free.delete(cell)
    cells.push(cell.index === index && cell.item === item ? cell : { slot: cell.slot, index, item })
  }

  for (let index = first; index <= last; index++) {
    const item = at(index)
    const own = item && byId.get(item.id)
    // Between the renewal of two pages a picture can be in both: the second place gets another element.
    if (own && free.has(own)) keep(own, index, item)
    else waiting.push({ index, item })
  }
  const unplaced = waiting.filter(({ index, item }) => {
    const here = byIndex.get(index)
    if (!here || !free.has(here)) return true
    keep(here, index, item)
    return false
  })
  const used = new Set(before.map((cell) => cell.slot))
  let next = 0
  for (const { index, item } of unplaced) {
    const [spare] = free
    if (spare) {
      keep(spare, index, item)
      continue
    }
    while (used.has(next)) next += 1
    used.add(next)
    cells.push({ slot: next, index, item })
  }
  return cells.sort((a, b) => a.slot - b.slot)
}
