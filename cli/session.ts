import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { LucidexError, type Job, type JobReport } from '../core/contract/index.ts'
import type { Engine } from '../core/engine.ts'
import { nodeDeps } from '../core/hosts/node.ts'
import { isSettled } from '../core/jobs/types.ts'
import { quietLog, type Io } from './io.ts'
import { MODELS_DIR, VERSION } from './paths.ts'
import { duration } from './table.ts'

export interface SessionOptions {
  io: Io
  /** Without one the engine works on an empty library that is deleted afterwards. */
  libraryDir?: string
  /** Opens the library beside another process. */
  readOnly?: boolean
  host?: 'node' | 'browser'
  /** Whether folders are followed while the engine runs. Default false. */
  watch?: boolean
}

/**
 * Runs `work` on an engine in this process and closes it whatever happens. The engine, with its native
 * modules, is only loaded here: help and bad usage need none of it.
 */
export async function withEngine<T>(options: SessionOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { createEngine } = await import('../core/engine.ts')
  const temporary = options.libraryDir === undefined ? await mkdtemp(path.join(tmpdir(), 'lucidex-')) : undefined
  try {
    const engine = await createEngine(
      {
        libraryDir: options.libraryDir ?? temporary!,
        modelsDir: MODELS_DIR,
        version: VERSION,
        host: options.host ?? 'node',
        readOnly: options.readOnly ?? false,
        watch: options.watch ?? false,
      },
      nodeDeps(quietLog(options.io)),
    )
    try {
      return await work(engine)
    } finally {
      await engine.close()
    }
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }
}

export interface JobEnd {
  report: JobReport
  /** Ctrl-C ended it; what was done is kept. */
  interrupted: boolean
}

/** Follows a job to its end, showing its progress; Ctrl-C cancels it. Errors: the job's own, when it failed as a whole. */
export async function followJob(engine: Engine, jobId: number, io: Io): Promise<JobEnd> {
  let interrupted = false
  const stopListening = io.onInterrupt(() => {
    // Asked twice: do not wait for the job's next checkpoint.
    if (interrupted) process.exit(130)
    interrupted = true
    io.progress('Stopping…')
    engine.api.jobs.cancel({ jobId }).catch(() => {})
  })
  try {
    const job = await settled(engine, jobId, (running) => {
      if (!interrupted) io.progress(progressLine(running))
    })
    io.progress('')
    if (job.state === 'failed')
      throw new LucidexError(job.error?.code ?? 'INTERNAL', job.error?.message ?? `${job.title} failed`, job.error)
    return { report: await engine.api.jobs.report({ jobId }), interrupted }
  } finally {
    stopListening()
  }
}

function settled(engine: Engine, jobId: number, onProgress: (job: Job) => void): Promise<Job> {
  return new Promise((resolve, reject) => {
    const stop = engine.on('job', look)
    function look(job: Job): void {
      if (job.id !== jobId) return
      onProgress(job)
      if (!isSettled(job)) return
      stop()
      resolve(job)
    }
    // It may have ended before we listened.
    engine.api.jobs.list().then((jobs) => jobs.forEach(look), reject)
  })
}

function progressLine(job: Job): string {
  const parts = [`${job.title}: ${job.total === null ? job.done : `${job.done} of ${job.total}`} ${job.unit}`]
  if (job.failed > 0) parts.push(`${job.failed} failed`)
  if (job.rate !== null) parts.push(`${job.rate.toFixed(job.rate < 10 ? 1 : 0)}/s`)
  if (job.etaMs !== null) parts.push(`${duration(job.etaMs / 1000)} left`)
  if (job.current !== null) parts.push(job.current)
  return parts.join(' · ')
}
