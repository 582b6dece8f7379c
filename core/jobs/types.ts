import type { Job, JobReport } from '../contract/index.ts'
import type { ExportJournal } from '../denoise/journal.ts'

/**
 * What long work receives. Work awaits {@link checkpoint} between units (a file, a tile): it waits
 * there while the job is paused and throws an AbortError once it is cancelled, so pause and cancel
 * act within one unit. What is done stays done; resuming recomputes what is pending.
 */
export interface JobContext {
  readonly jobId: number
  readonly signal: AbortSignal
  /** What this job has done so far, in this run and in those that were cut short. */
  readonly journal: ExportJournal
  checkpoint(): Promise<void>
  /** Sets the given fields of the job's progress; announced at most four times a second. */
  progress(change: { done?: number; failed?: number; total?: number | null; current?: string | null }): void
}

/** A job's own part of its report. */
export type JobOutcome = Omit<JobReport, 'job'>

/** The states from which nothing more happens by itself. */
export function isSettled(job: Pick<Job, 'state'>): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled' || job.state === 'interrupted'
}
