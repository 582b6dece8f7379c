import type { Job, JobReport, JobSpecInput } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain, sentence } from '../../engine/messages.ts'
import { isSettled, jobs } from '../jobs/jobs.svelte.ts'

/** A kind of job that the settings start and follow to its report. It goes on while another view is shown. */
export class Task<R extends 'verify' | 'exported' | 'imported' | 'compact'> {
  jobId = $state<number | null>(null)
  report = $state.raw<JobReport[R] | null>(null)
  error = $state<string | null>(null)
  /** The code of that error, where a view can offer a way out. */
  code = $state<string | null>(null)
  #part: R

  constructor(part: R) {
    this.#part = part
  }

  get job(): Job | undefined {
    return jobs.find(this.jobId)
  }

  get running(): boolean {
    return this.job !== undefined && !isSettled(this.job)
  }

  /** Starts the job and waits for its report. */
  async run(spec: JobSpecInput): Promise<void> {
    this.reset()
    try {
      const { jobId } = await jobs.start(spec)
      this.jobId = jobId
      const job = await jobs.settled(jobId)
      if (job.state === 'done' || job.state === 'cancelled') {
        const report = await engine.api.jobs.report({ jobId })
        this.report = report[this.#part] ?? null
      }
      if (job.error) {
        this.error = sentence(job.error)
        this.code = job.error.code
      }
      void engine.api.jobs.dismiss({ jobId }).catch(() => {})
    } catch (error) {
      this.error = explain(error)
    }
  }

  stop(): void {
    if (this.jobId !== null) void jobs.command('cancel', this.jobId)
  }

  reset(): void {
    this.jobId = null
    this.report = null
    this.error = null
    this.code = null
  }
}

export const verify = new Task('verify')
export const exporting = new Task('exported')
export const importing = new Task('imported')
export const compact = new Task('compact')
