import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Runs `body(start, end)` over 0 … length in slices, giving the event loop a turn between them, so that
 * a long loop over samples never holds it. The default slice takes about a millisecond.
 */
export async function inSlices(length: number, body: (start: number, end: number) => void, slice = 500_000): Promise<void> {
  for (let start = 0; start < length; start += slice) {
    if (start > 0) await nextTurn()
    body(start, Math.min(start + slice, length))
  }
}
