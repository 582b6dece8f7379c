import { describe, expect, it } from 'vitest'
import { Selection } from '../../renderer/src/features/library/selection.svelte.ts'

const idsBetween = async (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => (from + index) * 10)

describe('Selection', () => {
  it('extends from the last plain choice, in both directions', async () => {
    const selection = new Selection()
    selection.only(5, 50)
    await selection.extend(7, 70, idsBetween)
    expect([...selection.ids]).toEqual([50, 60, 70])
    await selection.extend(3, 30, idsBetween)
    expect([...selection.ids]).toEqual([30, 40, 50])
    expect(selection.activeId).toBe(30)
  })

  it('toggles single items', () => {
    const selection = new Selection()
    selection.only(1, 10)
    selection.toggle(4, 40)
    selection.toggle(1, 10)
    expect([...selection.ids]).toEqual([40])
  })

  it('lets a later choice win over a slow range', async () => {
    const selection = new Selection()
    selection.only(0, 0)
    let answer!: (ids: number[]) => void
    const slow = selection.extend(900, 9000, () => new Promise((resolve) => (answer = resolve)))
    selection.only(2, 20)
    answer([0, 10, 20])
    await slow
    expect([...selection.ids]).toEqual([20])
  })
})
