import { describe, expect, it } from 'vitest'
import { frameTimes, type TraceEvent } from '../../bench/frames.ts'

/** An event of the main thread, milliseconds; the thread's clock runs at half the wall's. */
function event(name: string, at: number, ms = 0, tid = 1): TraceEvent {
  return { name, ph: ms > 0 ? 'X' : 'I', pid: 1, tid, ts: at * 1000, dur: ms * 1000, tts: at * 500, tdur: ms * 500 }
}

describe('frames of a trace', () => {
  const trace = [
    event('FunctionCall', 5, 100),
    ...[200, 216, 232, 248].map((at) => event('BeginMainThreadFrame', at)),
    // Layout forced by script lies inside it; garbage is collected between two frames.
    event('FunctionCall', 201, 4),
    event('Layout', 202, 2),
    event('UpdateLayoutTree', 206, 1),
    event('Paint', 208, 6),
    event('RunTask', 200, 15),
    event('MinorGC', 229, 2),
    event('RunTask', 229, 2),
    event('FunctionCall', 260, 3),
    // Another thread's work is not the window's.
    event('FunctionCall', 234, 12, 2),
    event('RunTask', 234, 12, 2),
  ]

  it('adds up script and layout of each, once, and finds the longest task', () => {
    expect(frameTimes(trace, 'wall')).toEqual({ frames: 4, p50: 3, p95: 5, max: 5, longestTask: 15 })
  })

  it('reads the clock of the thread', () => {
    expect(frameTimes(trace, 'thread')).toMatchObject({ p50: 1.5, max: 2.5, longestTask: 7.5 })
  })

  it('says nothing of a trace without frames', () => {
    expect(frameTimes([event('FunctionCall', 5, 100)], 'wall')).toEqual({ frames: 0, p50: 0, p95: 0, max: 0, longestTask: 0 })
  })
})
