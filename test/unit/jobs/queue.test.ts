import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Job, JobSpec } from '../../../core/contract/index.ts'
import { MemoryJournal } from '../../../core/denoise/journal.ts'
import { JobQueue, type JobQueueOptions, type JobRunner } from '../../../core/jobs/queue.ts'
import type { JobStore } from '../../../core/jobs/store.ts'
import { unusedRunners } from '../../support/runners.ts'

const index: JobSpec = { kind: 'index' }

/** A queue whose index jobs run `runner`, with everything it announced. */
function queueOf(runner: JobRunner<'index'>, clocks: Pick<JobQueueOptions, 'now' | 'clock'> = {}) {
  const announced: Job[] = []
  const queue = new JobQueue({
    runners: { ...unusedRunners, index: runner },
    store: null,
    title: (spec) => spec.kind,
    announce: (job) => announced.push(job),
    announceDismissed: () => {},
    ...clocks,
  })
  return { queue, announced }
}

/** Work of `total` units of a few milliseconds each. */
const counting =
  (total: number, seen: number[] = []): JobRunner<'index'> =>
  async (_spec, context) => {
    for (let unit = 0; unit < total; unit++) {
      await context.checkpoint()
      await new Promise((resolve) => setTimeout(resolve, 3))
      seen.push(unit)
      context.progress({ done: unit + 1, total })
    }
    return {}
  }

afterEach(() => vi.useRealTimers())

describe('JobQueue', () => {
  it('runs a job to its end and reports its outcome', async () => {
    const report = { scanned: 3, indexed: 3, unchanged: 0, moved: 0, removed: 0, failed: [] }
    const { queue, announced } = queueOf(async () => ({ index: report }))
    const id = queue.start(index)
    expect((await queue.settled(id)).state).toBe('done')
    expect(queue.report(id).index).toEqual(report)
    expect(announced.map((job) => job.state)).toEqual(['queued', 'running', 'done'])
  })

  it('runs one job of a kind at a time, in order', async () => {
    let running = 0
    let most = 0
    const order: number[] = []
    const { queue } = queueOf(async (_spec, { jobId }) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      order.push(jobId)
      running--
      return {}
    })
    const ids = [queue.start(index), queue.start(index), queue.start(index)]
    await Promise.all(ids.map((id) => queue.settled(id)))
    expect(most).toBe(1)
    expect(order).toEqual(ids)
  })

  it('does no further unit while paused, and goes on after', async () => {
    const seen: number[] = []
    const { queue } = queueOf(counting(60, seen))
    const id = queue.start(index)
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1))
    queue.pause(id)
    await new Promise((resolve) => setTimeout(resolve, 15)) // the unit under way may end
    const atPause = seen.length
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(seen.length).toBe(atPause)
    queue.resume(id)
    expect((await queue.settled(id)).state).toBe('done')
    expect(seen).toEqual(Array.from({ length: 60 }, (_, unit) => unit))
  })

  it('cancels within a unit, even while paused, and lets the next one run', async () => {
    const seen: number[] = []
    const { queue } = queueOf(counting(1000, seen))
    const id = queue.start(index)
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1))
    queue.pause(id)
    queue.cancel(id)
    expect((await queue.settled(id)).state).toBe('cancelled')
    expect(seen.length).toBeLessThan(1000)
  })

  it('cancels a job that has not started', async () => {
    const ran: number[] = []
    const { queue } = queueOf(async (_spec, { jobId }) => {
      ran.push(jobId)
      await new Promise((resolve) => setTimeout(resolve, 10))
      return {}
    })
    const first = queue.start(index)
    const second = queue.start(index)
    queue.cancel(second)
    await queue.settled(first)
    expect((await queue.settled(second)).state).toBe('cancelled')
    expect(ran).toEqual([first])
  })

  it('turns a thrown error into the job’s own, with its code', async () => {
    const { queue } = queueOf(async () => {
      throw Object.assign(new Error('no such folder'), { code: 'x' })
    })
    const job = await queue.settled(queue.start(index))
    expect(job).toMatchObject({ state: 'failed', error: { code: 'INTERNAL', message: 'no such folder' } })
  })

  it('announces progress at most four times a second', async () => {
    const { queue, announced } = queueOf(counting(150))
    await queue.settled(queue.start(index))
    const seconds = (announced.at(-1)!.finishedAt! - announced[0]!.startedAt) / 1000
    // Besides the state changes: queued, running, done.
    expect(announced.length - 3).toBeLessThanOrEqual(Math.ceil(seconds * 4))
    expect(announced.length).toBeGreaterThan(3)
  })

  it('goes on announcing when the clock is set back', async () => {
    let now = Date.now()
    const { queue, announced } = queueOf(counting(150), { now: () => (now -= 3600_000) })
    await queue.settled(queue.start(index))
    expect(announced.length).toBeGreaterThan(3)
    expect(announced.every(({ rate, etaMs }) => (rate ?? 0) >= 0 && (etaMs ?? 0) >= 0)).toBe(true)
  })

  it('does the work although nothing of it can be stored', async () => {
    const full = () => {
      throw new Error('the disk is full')
    }
    const unsaved: unknown[] = []
    const store = { all: () => [], insert: () => 1, save: full, remove: full, journal: () => new MemoryJournal() }
    const queue = new JobQueue({
      runners: { ...unusedRunners, index: counting(3) },
      store: store as unknown as JobStore,
      title: (spec) => spec.kind,
      announce: () => {},
      announceDismissed: () => {},
      onUnsaved: (thrown) => unsaved.push(thrown),
    })
    const job = await queue.settled(queue.start(index))
    expect(job).toMatchObject({ state: 'done', done: 3 })
    expect(unsaved.length).toBeGreaterThan(0)
  })

  it('measures rate and time left', async () => {
    let clock = 0
    let proceed = () => {}
    const { queue } = queueOf(
      async (_spec, context) => {
        for (let unit = 0; unit <= 10; unit++) {
          clock += 100
          context.progress({ done: unit, total: 30 })
        }
        await new Promise<void>((resolve) => (proceed = resolve))
        return {}
      },
      { clock: () => clock },
    )
    const id = queue.start(index)
    await vi.waitFor(() => expect(queue.list()[0]!.done).toBe(10))
    expect(queue.list()[0]!.rate).toBeCloseTo(10)
    expect(queue.list()[0]!.etaMs).toBeCloseTo(2000)
    proceed()
    await queue.settled(id)
  })

  it('refuses to pause what has settled and to name what is not there', async () => {
    const { queue } = queueOf(async () => ({}))
    const id = queue.start(index)
    await queue.settled(id)
    expect(() => queue.pause(id)).toThrow(expect.objectContaining({ code: 'JOB_STATE' }))
    expect(() => queue.report(99)).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }))
  })
})
