import { LucidexError, toErrorData, type Job, type JobKind, type JobReport, type JobSpec } from '../contract/index.ts'
import { MemoryJournal, type ExportJournal } from '../denoise/journal.ts'
import { Gate } from './gate.ts'
import { RateMeter } from './rate.ts'
import { unitOf, type JobStore, type StoredJob } from './store.ts'
import { isSettled, type JobContext, type JobOutcome } from './types.ts'

/** Does the work of one kind of job. What an interrupted run of the same job has done is in the context's journal. */
export type JobRunner<K extends JobKind> = (spec: Extract<JobSpec, { kind: K }>, context: JobContext) => Promise<JobOutcome>
export type JobRunners = { [K in JobKind]: JobRunner<K> }

export interface JobQueueOptions {
  runners: JobRunners
  /** Null when the library is open for reading only: then jobs live in memory. */
  store: JobStore | null
  title(spec: JobSpec): string
  announce(job: Job): void
  announceDismissed(jobId: number): void
  /** Told when a job's state could not be stored, as on a full disk. The job itself goes on. */
  onUnsaved?(thrown: unknown): void
  /** Milliseconds since 1970. */
  now?(): number
  /** Milliseconds of a clock that nobody sets: by it time is measured. */
  clock?(): number
}

/** Progress is announced at most four times a second. */
const ANNOUNCE_MS = 250

/** Of these a new one replaces the one before: they show what is on the screen. */
const REPLACED: ReadonlySet<JobKind> = new Set(['denoise-preview', 'denoise-confidence'])

/** A job and what steers it. */
interface Entry extends StoredJob {
  journal: ExportJournal
  gate: Gate
  abort: AbortController
  rate: RateMeter
  /** By {@link JobQueueOptions.clock}. */
  lastAnnounced: number
  timer: NodeJS.Timeout | undefined
  /** Settles with the job's run; undefined while it has not started. */
  run: Promise<void> | undefined
}

/**
 * Runs jobs: one at a time of each kind, in the order they were started, so that indexing goes on
 * while pictures are denoised. A new preview replaces the one before it.
 */
export class JobQueue {
  readonly #options: JobQueueOptions
  readonly #entries = new Map<number, Entry>()
  readonly #now: () => number
  readonly #clock: () => number
  #nextTransientId = 1
  #closed = false

  constructor(options: JobQueueOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#clock = options.clock ?? (() => performance.now())
    for (const stored of options.store?.all() ?? []) this.#entries.set(stored.job.id, entry(stored, this.#journal(stored.job.id)))
  }

  list(): Job[] {
    return [...this.#entries.values()].map((entry) => entry.job)
  }

  /** The first job that has not begun and whose spec satisfies `wanted`. */
  waiting(wanted: (spec: JobSpec) => boolean): Job | undefined {
    return [...this.#entries.values()].find((entry) => entry.job.state === 'queued' && wanted(entry.spec))?.job
  }

  /** Errors: JOB_NOT_FOUND. */
  report(jobId: number): JobReport {
    const { job, report, journal } = this.#get(jobId)
    return { job, ...report, ...(job.kind === 'denoise' && { denoise: journal.results() }) }
  }

  /** A page of what a denoising job has done. Errors: JOB_NOT_FOUND. */
  results(jobId: number, offset: number, limit: number): ReturnType<ExportJournal['page']> {
    return this.#get(jobId).journal.page(offset, limit)
  }

  #journal(jobId: number): ExportJournal {
    return this.#options.store?.journal(jobId) ?? new MemoryJournal()
  }

  start(spec: JobSpec): number {
    if (this.#closed) throw new LucidexError('JOB_STATE', 'The engine is stopping')
    if (REPLACED.has(spec.kind)) this.cancelWhere((other) => other.kind === spec.kind)
    const fresh: Omit<Job, 'id'> = {
      kind: spec.kind,
      title: this.#options.title(spec),
      state: 'queued',
      done: 0,
      failed: 0,
      total: null,
      unit: unitOf(spec),
      rate: null,
      etaMs: null,
      current: null,
      startedAt: this.#now(),
      finishedAt: null,
    }
    const { store } = this.#options
    const id = store ? store.insert(spec, fresh) : this.#nextTransientId++
    const added = entry({ spec, report: {}, job: { id, ...fresh } }, this.#journal(id))
    this.#entries.set(id, added)
    this.#announce(added)
    this.#startNext(spec.kind)
    return id
  }

  /** Resolves when the job has settled. */
  async settled(jobId: number): Promise<Job> {
    const found = this.#get(jobId)
    while (!isSettled(found.job)) {
      if (found.run) await found.run
      else await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return found.job
  }

  pause(jobId: number): void {
    const found = this.#get(jobId)
    if (found.job.state === 'paused') return
    if (isSettled(found.job)) throw new LucidexError('JOB_STATE', `Job ${jobId} is ${found.job.state}: it cannot be paused`)
    found.gate.close()
    this.#setState(found, 'paused')
  }

  /** Opens a paused job's gate, or starts an interrupted, failed or cancelled job again for what it left undone. */
  resume(jobId: number): void {
    const found = this.#get(jobId)
    const { state, kind } = found.job
    if (state === 'queued' || state === 'running') return
    if (state === 'done') throw new LucidexError('JOB_STATE', `Job ${jobId} is done: there is nothing to resume`)
    if (state === 'paused') {
      found.rate.reset()
      found.gate.open()
      this.#setState(found, found.run ? 'running' : 'queued')
    } else {
      const again = entry(
        { ...found, job: { ...found.job, state: 'queued', error: undefined, failed: 0, done: 0, total: null, finishedAt: null } },
        found.journal,
      )
      this.#entries.set(jobId, again)
      this.#setState(again, 'queued')
    }
    this.#startNext(kind)
  }

  cancel(jobId: number): void {
    const found = this.#get(jobId)
    if (isSettled(found.job) && found.job.state !== 'interrupted') return
    found.abort.abort()
    if (!found.run) this.#settle(found, 'cancelled')
  }

  /** Cancels every unsettled job whose spec satisfies `unwanted`. */
  cancelWhere(unwanted: (spec: JobSpec) => boolean): void {
    for (const { job, spec } of [...this.#entries.values()]) if (!isSettled(job) && unwanted(spec)) this.cancel(job.id)
  }

  /** Forgets one settled job, or all of them. */
  dismiss(jobId?: number): void {
    if (jobId !== undefined) this.#forget(this.#get(jobId))
    else this.dismissWhere(() => true)
  }

  /** Forgets every settled job whose spec satisfies `unwanted`. */
  dismissWhere(unwanted: (spec: JobSpec) => boolean): void {
    for (const entry of [...this.#entries.values()]) if (unwanted(entry.spec)) this.#forget(entry)
  }

  #forget({ job }: Entry): void {
    if (!isSettled(job)) return
    this.#entries.delete(job.id)
    this.#options.store?.remove(job.id)
    this.#options.announceDismissed(job.id)
  }

  /** Stops all work at its next checkpoint; what was under way is found `interrupted` at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    const running = [...this.#entries.values()].filter((entry) => entry.run && !isSettled(entry.job))
    for (const entry of running) entry.abort.abort()
    await Promise.all(running.map((entry) => entry.run))
    for (const entry of this.#entries.values()) clearTimeout(entry.timer)
  }

  #get(jobId: number): Entry {
    const found = this.#entries.get(jobId)
    if (!found) throw new LucidexError('JOB_NOT_FOUND', `There is no job ${jobId}`)
    return found
  }

  #ofKind(kind: JobKind): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.job.kind === kind)
  }

  #startNext(kind: JobKind): void {
    const lane = this.#ofKind(kind)
    if (this.#closed || lane.some((entry) => entry.run && !isSettled(entry.job))) return
    const next = lane.find((entry) => entry.job.state === 'queued')
    if (next) next.run = this.#run(next)
  }

  async #run(entry: Entry): Promise<void> {
    const { spec, abort, gate } = entry
    const context: JobContext = {
      jobId: entry.job.id,
      signal: abort.signal,
      journal: entry.journal,
      checkpoint: () => gate.pass(abort.signal),
      progress: (change) => {
        Object.assign(entry.job, change)
        this.#measure(entry)
        this.#announceSoon(entry)
      },
    }
    entry.job.startedAt = this.#now()
    this.#setState(entry, 'running')
    try {
      await context.checkpoint()
      // The lookup by the spec's own kind pairs runner and spec; TypeScript cannot follow that.
      const run = this.#options.runners[spec.kind] as JobRunner<JobKind>
      entry.report = await run(spec, context)
      this.#settle(entry, abort.signal.aborted ? 'cancelled' : 'done')
    } catch (thrown) {
      if (abort.signal.aborted) {
        this.#settle(entry, 'cancelled')
      } else {
        entry.job.error = toErrorData(thrown)
        this.#settle(entry, 'failed')
      }
    }
  }

  #settle(entry: Entry, state: 'done' | 'failed' | 'cancelled'): void {
    clearTimeout(entry.timer)
    Object.assign(entry.job, { finishedAt: this.#now(), rate: null, etaMs: null, current: null })
    // "Interrupted, not cancelled": closing the engine is nobody's wish to give up the work.
    this.#setState(entry, this.#closed && state === 'cancelled' ? 'interrupted' : state)
    if (!this.#closed) this.#startNext(entry.job.kind)
  }

  #setState(entry: Entry, state: Job['state']): void {
    entry.job.state = state
    try {
      this.#options.store?.save(entry)
    } catch (thrown) {
      this.#options.onUnsaved?.(thrown)
    }
    this.#announce(entry)
  }

  #measure(entry: Entry): void {
    const { job, rate } = entry
    rate.add(this.#clock(), job.done + job.failed)
    job.rate = rate.perSecond()
    job.etaMs = job.rate && job.total !== null ? Math.max(0, ((job.total - job.done - job.failed) / job.rate) * 1000) : null
  }

  #announceSoon(entry: Entry): void {
    if (entry.timer) return
    const wait = entry.lastAnnounced + ANNOUNCE_MS - this.#clock()
    entry.timer = setTimeout(() => this.#announce(entry), Math.max(0, wait))
    entry.timer.unref()
  }

  #announce(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.timer = undefined
    entry.lastAnnounced = this.#clock()
    this.#options.announce({ ...entry.job })
  }
}

function entry(stored: StoredJob, journal: ExportJournal): Entry {
  return {
    ...stored,
    journal,
    gate: new Gate(),
    abort: new AbortController(),
    rate: new RateMeter(),
    lastAnnounced: -Infinity,
    timer: undefined,
    run: undefined,
  }
}
