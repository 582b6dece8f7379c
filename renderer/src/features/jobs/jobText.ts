import type { Job } from '$contract'
import { sentence } from '../../engine/messages.ts'
import { formatCount, formatDuration, formatPace, plural } from '../../ui/format.ts'

const DID: Record<Job['kind'], string> = {
  index: 'indexed',
  verify: 'checked',
  'export-library': 'exported',
  'import-library': 'imported',
  compact: 'done',
  denoise: 'denoised',
  'denoise-preview': 'done',
  'denoise-confidence': 'done',
  measure: 'measured',
}

/** What a job's row says about how far it is, or how it ended. */
export function describeJob(job: Job): string {
  const did = DID[job.kind]
  const failed = job.failed > 0 ? `, ${formatCount(job.failed)} failed` : ''
  switch (job.state) {
    case 'queued':
      return 'Waiting'
    case 'running':
    case 'paused': {
      const count = job.total === null ? plural(job.done, job.unit.slice(0, -1)) : `${formatCount(job.done)} of ${formatCount(job.total)}`
      const parts = [job.state === 'paused' ? `Paused at ${count}` : count + failed]
      if (job.state === 'running' && job.rate) parts.push(formatPace(job.rate, job.unit))
      if (job.state === 'running' && job.etaMs !== null) parts.push(`${formatDuration(job.etaMs)} left`)
      return parts.join(' · ')
    }
    case 'done':
      if (job.done === 0 && job.kind === 'index') return job.failed === 0 ? 'Nothing had changed' : `Nothing new${failed}`
      return `${formatCount(job.done)} ${did}${failed}`
    case 'cancelled':
      return `Stopped: ${formatCount(job.done)} ${did}${failed}`
    case 'interrupted':
      return `Interrupted at ${formatCount(job.done)}${job.total === null ? '' : ` of ${formatCount(job.total)}`}`
    case 'failed':
      return job.error ? sentence(job.error) : 'Failed'
  }
}

/** The share that is done, or null while it is not known. */
export function jobShare(job: Job): number | null {
  return job.total ? Math.min(1, (job.done + job.failed) / job.total) : null
}
