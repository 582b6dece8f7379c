import type { Job, JobSpecInput } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain } from '../../engine/messages.ts'
import { toasts } from '../../ui/toasts.svelte.ts'

const STAY_MS = 10_000

const FOR_THE_VIEW = new Set<Job['kind']>(['denoise-preview', 'denoise-confidence'])
const SETTLED = new Set<Job['state']>(['done', 'failed', 'cancelled', 'interrupted'])

export function isSettled(job: Job): boolean {
  return SETTLED.has(job.state)
}

/** The engine's jobs as this window knows them. */
export class JobsState {
  all = $state.raw<Job[]>([])
  /** Settled before this window saw them: history, but for what can be resumed. */
  #past = new Set<number>()
  #heard = new Set<number>()
  #waiting = new Map<number, ((job: Job) => void)[]>()

  /** Those of the tray: what is computed for the view alone shows its progress there. */
  get listed(): Job[] {
    return this.all.filter((job) => !FOR_THE_VIEW.has(job.kind) && !this.#past.has(job.id)).reverse()
  }

  begin(): void {
    engine.onReady(async () => {
      try {
        this.#heard.clear()
        const listed = await engine.api.jobs.list()
        // What was announced since the list was asked for is newer than the list.
        const jobs = listed.map((job) => (this.#heard.has(job.id) ? (this.find(job.id) ?? job) : job))
        const known = new Set(this.all.map((job) => job.id))
        for (const job of jobs) if (isSettled(job) && job.state !== 'interrupted' && !known.has(job.id)) this.#past.add(job.id)
        this.all = jobs
        for (const job of jobs) this.#settle(job)
      } catch {
        // The engine went away again; the next connection lists anew.
      }
    })
    engine.on('job', (job) => this.#update(job))
    engine.on('jobDismissed', ({ jobId }) => {
      this.all = this.all.filter((job) => job.id !== jobId)
      // Its number may be given to the next job.
      this.#past.delete(jobId)
    })
  }

  find(jobId: number | null): Job | undefined {
    return jobId === null ? undefined : this.all.find((job) => job.id === jobId)
  }

  start(spec: JobSpecInput): Promise<{ jobId: number }> {
    return engine.api.jobs.start(spec)
  }

  /** The job once nothing more happens to it by itself. */
  settled(jobId: number): Promise<Job> {
    const job = this.find(jobId)
    if (job && isSettled(job)) return Promise.resolve(job)
    return new Promise((resolve) => this.#waiting.set(jobId, [...(this.#waiting.get(jobId) ?? []), resolve]))
  }

  /** Pauses, resumes, cancels or dismisses; a refusal is told. */
  async command(verb: 'pause' | 'resume' | 'cancel' | 'dismiss', jobId: number): Promise<void> {
    try {
      await engine.api.jobs[verb]({ jobId })
    } catch (error) {
      toasts.fail(`Could not ${verb} the job`, explain(error))
    }
  }

  #update(job: Job): void {
    this.#heard.add(job.id)
    const index = this.all.findIndex((known) => known.id === job.id)
    this.all = index < 0 ? [...this.all, job] : this.all.with(index, job)
    this.#settle(job)
    // What went well has nothing more to say after a while; failures stay until they are dismissed.
    if (job.state === 'done' && job.failed === 0) setTimeout(() => this.#leave(job.id), STAY_MS)
  }

  #leave(jobId: number): void {
    if (this.find(jobId)?.state === 'done') void engine.api.jobs.dismiss({ jobId }).catch(() => {})
  }

  #settle(job: Job): void {
    if (!isSettled(job)) return
    for (const resolve of this.#waiting.get(job.id) ?? []) resolve(job)
    this.#waiting.delete(job.id)
  }
}

export const jobs = new JobsState()
