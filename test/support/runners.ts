import type { JobRunners } from '../../core/jobs/queue.ts'

const unused = () => Promise.reject(new Error('not this kind'))

/** Runners for every kind of job, each refusing: a test puts its own over the one it is about. */
export const unusedRunners: JobRunners = {
  index: unused,
  verify: unused,
  'export-library': unused,
  'import-library': unused,
  compact: unused,
  'denoise-preview': unused,
  'denoise-confidence': unused,
  denoise: unused,
  measure: unused,
}
