import { describe, expect, it } from 'vitest'
import { History } from '../../renderer/src/features/denoise/history.svelte.ts'

describe('the history of edits', () => {
  it('goes back and forth, and forgets what was undone once something else is done', () => {
    const history = new History<{ strength: number }>()
    history.start({ strength: 100 })
    for (const strength of [80, 60]) history.record({ strength })
    expect(history.undo()).toEqual({ strength: 80 })
    expect(history.undo()).toEqual({ strength: 100 })
    expect(history.undo()).toBeUndefined()
    expect(history.redo()).toEqual({ strength: 80 })
    history.record({ strength: 10 })
    expect(history.canRedo).toBe(false)
    expect(history.undo()).toEqual({ strength: 80 })
  })

  it('takes no step that changes nothing', () => {
    const history = new History<{ strength: number }>()
    history.start({ strength: 100 })
    history.record({ strength: 100 })
    expect(history.canUndo).toBe(false)
  })
})
