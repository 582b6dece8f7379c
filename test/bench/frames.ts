/** What a trace of Chromium's says about the frames of a page: how long its main thread was held by script and layout. */

/** An event of the trace event format (`ph: 'X'`: complete, with a duration); times in microseconds, `tts` and `tdur` of the thread's own clock. */
export interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  ts: number
  dur?: number
  tts?: number
  tdur?: number
}

export interface FrameTimes {
  frames: number
  /** Script, style and layout of a frame, milliseconds. */
  p50: number
  p95: number
  max: number
  /** The longest task of the main thread, of any kind, milliseconds. */
  longestTask: number
}

/** `wall` is what a person waits; `thread` leaves out the time that other programs had the processor. */
export type Clock = 'wall' | 'thread'

const FRAME = 'BeginMainThreadFrame'
const TASK = 'RunTask'
/** Script as DevTools colours it with the collector of garbage, style, layout. */
const COUNTED = new Set([
  'EvaluateScript',
  'FunctionCall',
  'EventDispatch',
  'FireAnimationFrame',
  'FireIdleCallback',
  'TimerFire',
  'RunMicrotasks',
  'MajorGC',
  'MinorGC',
  'V8.GC_MC_INCREMENTAL',
  'UpdateLayoutTree',
  'Layout',
  'PrePaint',
])

/**
 * The frames of the renderer thread that has most of them. A frame is all that the thread does from one
 * BeginMainThreadFrame to the next, so that a message handled between two frames counts too; what is
 * nested (layout forced by script) counts once.
 */
export function frameTimes(events: TraceEvent[], clock: Clock): FrameTimes {
  const main = mainThread(events)
  const starts = main.filter((event) => event.name === FRAME).map((event) => event.ts)
  const first = starts[0] ?? Infinity
  const during = main.filter((event) => event.ph === 'X' && event.ts >= first).sort((a, b) => a.ts - b.ts)
  const work = during.filter((event) => COUNTED.has(event.name))
  const busy = starts.map(() => 0)
  let frame = 0
  let covered = 0
  for (const event of work) {
    while (starts[frame + 1]! <= event.ts) frame += 1
    const { from, to } = span(event, clock)
    busy[frame]! += Math.max(0, to - Math.max(from, covered))
    covered = Math.max(covered, to)
  }
  const sorted = busy.map((us) => us / 1000).sort((a, b) => a - b)
  const tasks = during.filter((event) => event.name === TASK).map((event) => span(event, clock))
  return {
    frames: sorted.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: sorted.at(-1) ?? 0,
    longestTask: tasks.reduce((most, { from, to }) => Math.max(most, (to - from) / 1000), 0),
  }
}

function span({ ts, dur = 0, tts = 0, tdur = 0 }: TraceEvent, clock: Clock): { from: number; to: number } {
  return clock === 'wall' ? { from: ts, to: ts + dur } : { from: tts, to: tts + tdur }
}

function mainThread(events: TraceEvent[]): TraceEvent[] {
  const counts = new Map<string, number>()
  const thread = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`
  for (const event of events) if (event.name === FRAME) counts.set(thread(event), (counts.get(thread(event)) ?? 0) + 1)
  const [busiest] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? []
  return events.filter((event) => thread(event) === busiest)
}

function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
