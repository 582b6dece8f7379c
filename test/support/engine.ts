import path from 'node:path'
import type { EngineClient, Job } from '../../core/contract/index.ts'
import type { Engine } from '../../core/engine.ts'
import { isSettled } from '../../core/jobs/types.ts'

export const MODELS_DIR = path.resolve(import.meta.dirname, '../../resources/models')

/** Waits for a job's end by its events, as a window does. */
export function settled(client: Pick<EngineClient, 'on' | 'jobs'> | Engine, jobId: number): Promise<Job> {
  return new Promise((resolve, reject) => {
    const stop = client.on('job', (job) => job.id === jobId && isSettled(job) && finish(job))
    const finish = (job: Job) => {
      stop()
      resolve(job)
    }
    // It may have ended before we listened.
    const { jobs } = 'api' in client ? client.api : client
    jobs
      .list()
      .then((jobs) => jobs.find((job) => job.id === jobId && isSettled(job)))
      .then((job) => job && finish(job), reject)
  })
}
