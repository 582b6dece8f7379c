import type { InferenceSettings, InferenceState, Job, Measurement, Source } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain, sentence } from '../../engine/messages.ts'
import { download } from '../../ui/download.ts'
import { isSettled, jobs } from '../jobs/jobs.svelte.ts'

/** Where networks run here, and how fast they are: the benchmark of the settings. */
export class MeasureState {
  state = $state.raw<InferenceState | null>(null)
  /** A clean picture of the person's own; null for the drawn one. */
  picture = $state.raw<{ source: Source; name: string } | null>(null)
  sigma = $state(25)
  jobId = $state<number | null>(null)
  measurement = $state.raw<Measurement | null>(null)
  error = $state<string | null>(null)

  get job(): Job | undefined {
    return jobs.find(this.jobId)
  }

  get running(): boolean {
    return this.job !== undefined && !isSettled(this.job)
  }

  async read(): Promise<void> {
    try {
      this.state = await engine.api.inference.state()
    } catch (error) {
      this.error = explain(error)
    }
  }

  async configure(change: Partial<InferenceSettings>): Promise<void> {
    try {
      this.state = await engine.api.inference.configure(change)
      this.error = null
    } catch (error) {
      this.error = explain(error)
    }
  }

  async run(): Promise<void> {
    this.error = null
    try {
      const { jobId } = await jobs.start({ kind: 'measure', sigma: this.sigma, ...(this.picture && { source: this.picture.source }) })
      this.jobId = jobId
      const job = await jobs.settled(jobId)
      if (job.error) this.error = sentence(job.error)
      const { measure } = await engine.api.jobs.report({ jobId })
      if (measure) this.measurement = measure
      void engine.api.jobs.dismiss({ jobId }).catch(() => {})
      // What `auto` stands for may be known now.
      await this.read()
    } catch (error) {
      this.error = explain(error)
    }
  }

  save(): void {
    if (!this.measurement) return
    const day = new Date(this.measurement.measuredAt).toISOString().slice(0, 10)
    download(new Blob([JSON.stringify(this.measurement, null, 2)], { type: 'application/json' }), `lucidex-measurement-${day}.json`)
  }
}

export const measure = new MeasureState()
