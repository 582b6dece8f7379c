import {
  BESIDE_PATTERN,
  FOLDER_PATTERN,
  reportText,
  type DenoiseResult,
  type Job,
  type JobSpecInput,
  type OutputSettings,
  type Source,
  type Tier,
} from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain, sentence } from '../../engine/messages.ts'
import { download } from '../../ui/download.ts'
import { toasts } from '../../ui/toasts.svelte.ts'
import type { NoiseMode } from '../denoise/denoise.svelte.ts'
import { isSettled, jobs } from '../jobs/jobs.svelte.ts'
import { patternFault } from './names.ts'

/** As many as one call answers with. */
const PAGE = 1000

/** One line of the queue before it runs: a picture, a folder, or many pictures chosen together. */
export interface Entry {
  sources: Source[]
  kind: 'picture' | 'folder' | 'pictures'
  name: string
  /** Where it is from. */
  place: string
  /** A thumbnail, where there is one. */
  url?: string
}

export type Noisy = 'all' | 'noisy' | 'level'
type JobSpec = Extract<JobSpecInput, { kind: 'denoise' }>

/** The queue of pictures and folders to denoise, its options, and the job that works on it. */
export class BatchState {
  entries = $state.raw<Entry[]>([])

  tier = $state<Tier>('best')
  noise = $state<NoiseMode>('auto')
  sigma = $state(15)
  strength = $state(100)
  texture = $state(0)
  output = $state<OutputSettings>({ format: 'keep', bitDepth: 'keep', quality: 92, collision: 'rename' })
  /** Null: beside the originals. */
  folder = $state<string | null>(null)
  /** Null: the place's own (names.ts). */
  ownPattern = $state<string | null>(null)
  recursive = $state(true)
  noisy = $state<Noisy>('all')
  minSigma = $state(5)

  /** The job that is shown instead of the queue. */
  jobId = $state<number | null>(null)
  results = $state.raw<DenoiseResult[]>([])
  /** The shown job as it was last heard of: its report outlives it. */
  #last = $state.raw<Job | undefined>()
  error = $state<string | null>(null)
  /** What the shown job was started with, for another try; null for one that an earlier window started. */
  #spec: JobSpec | null = null
  #reading: Promise<void> | null = null

  begin(): void {
    // What an earlier window started goes on being shown.
    engine.onReady(() => {
      if (this.jobId !== null) void this.readResults()
    })
    engine.on('job', (job) => {
      if (job.id !== this.jobId) return
      this.#last = job
      void this.readResults()
    })
  }

  get job(): Job | undefined {
    return jobs.find(this.jobId) ?? this.#last
  }

  get count(): number {
    return this.entries.reduce((sum, entry) => sum + entry.sources.length, 0)
  }

  get pattern(): string {
    return this.ownPattern ?? (this.folder === null ? BESIDE_PATTERN : FOLDER_PATTERN)
  }

  /** A picture given without a path has no place on the disk that a result could go beside. */
  get needsFolder(): boolean {
    return this.folder === null && this.entries.some((entry) => entry.sources.some((source) => source.kind === 'query'))
  }

  /** Why the queue cannot start, or null. */
  get fault(): string | null {
    if (this.count === 0) return 'The queue is empty.'
    if (this.needsFolder) return 'Dropped pictures have no place on the disk: choose a folder for the results.'
    return patternFault(this.pattern)
  }

  /** Adds what is not in the queue already. */
  add(entries: Entry[]): void {
    if (this.job && isSettled(this.job)) this.clear()
    const all = new Map([...this.entries, ...entries].map((entry) => [JSON.stringify(entry.sources), entry]))
    this.entries = [...all.values()]
  }

  remove(entry: Entry): void {
    this.entries = this.entries.filter((candidate) => candidate !== entry)
  }

  clear(): void {
    this.entries = []
    this.show(null)
  }

  /** Shows a job's progress and results; null for the queue. */
  show(jobId: number | null): void {
    if (jobId !== this.jobId) this.#spec = null
    this.jobId = jobId
    this.#last = jobs.find(jobId)
    this.results = []
    this.#reading = null
    if (jobId !== null) void this.readResults()
  }

  async start(): Promise<void> {
    if (this.fault) return
    await this.#start({
      kind: 'denoise',
      sources: this.entries.flatMap((entry) => entry.sources),
      recursive: this.recursive,
      settings: {
        tier: this.tier,
        sigma: this.noise === 'auto' ? 'auto' : this.sigma,
        strength: this.strength,
        texture: this.texture,
      },
      output: { ...$state.snapshot(this.output), pattern: this.pattern },
      destination: this.folder === null ? { kind: 'beside' } : { kind: 'folder', path: this.folder },
      minSigma: this.noisy === 'level' ? this.minSigma : this.noisy === 'noisy' ? 'auto' : 0,
    })
  }

  /** Tries once more what failed: the same queue, in which what is there already is skipped. */
  async retry(): Promise<void> {
    const before = this.jobId
    if (!this.#spec) return
    await this.#start({ ...this.#spec, output: { ...this.#spec.output, collision: 'skip' } })
    if (before !== null && before !== this.jobId) void engine.api.jobs.dismiss({ jobId: before }).catch(() => {})
  }

  get canRetry(): boolean {
    return this.#spec !== null && this.results.some((result) => result.status === 'failed')
  }

  async #start(spec: JobSpec): Promise<void> {
    this.error = null
    try {
      const { jobId } = await jobs.start(spec)
      this.show(jobId)
      this.#spec = spec
    } catch (thrown) {
      this.error = explain(thrown)
    }
  }

  /** Reads on where it stopped; called while it reads, it reads once more afterwards. */
  readResults(): Promise<void> {
    const next = (this.#reading ?? Promise.resolve()).then(() => this.#readOn(this.jobId))
    this.#reading = next
    return next
  }

  async #readOn(jobId: number | null): Promise<void> {
    if (jobId === null) return
    try {
      for (;;) {
        const { total, results } = await engine.api.jobs.results({ jobId, offset: this.results.length, limit: PAGE })
        if (jobId !== this.jobId || results.length === 0) return
        this.results = [...this.results, ...results]
        if (this.results.length >= total) return
      }
    } catch {
      // The job was dismissed, or the engine went away: what is shown stays.
    }
  }

  saveReport(): void {
    const name = `denoise-report-${new Date().toISOString().slice(0, 10)}.txt`
    download(new Blob([reportText(this.results)], { type: 'text/plain' }), name)
  }

  /** Denoises one picture with the best model and files the result beside it, with a name of its own. */
  async fileBeside(source: Source, name: string): Promise<void> {
    try {
      const { jobId } = await jobs.start({
        kind: 'denoise',
        sources: [source],
        settings: { tier: 'best', sigma: 'auto', strength: 100, texture: 0 },
        output: { collision: 'rename' },
        destination: { kind: 'beside' },
        minSigma: 'auto',
      })
      const job = await jobs.settled(jobId)
      if (job.state !== 'done' && job.state !== 'failed') return
      const { results } = await engine.api.jobs.results({ jobId })
      const result = results[0]
      const error = result?.error ?? job.error
      if (!result || error) return toasts.fail(`Could not denoise ${name}`, error && sentence(error))
      if (result.status === 'skipped') toasts.show({ tone: 'plain', title: `${name} was left alone`, text: 'It is clean already.' })
      else toasts.show({ tone: 'good', title: `${name} was denoised`, text: result.output ?? undefined })
      void engine.api.jobs.dismiss({ jobId }).catch(() => {})
    } catch (thrown) {
      toasts.fail(`Could not denoise ${name}`, explain(thrown))
    }
  }
}

export const batch = new BatchState()
