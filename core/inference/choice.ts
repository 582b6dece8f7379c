import { z } from 'zod'
import { inferenceChoice, inferenceSettings, LucidexError, type InferenceSettings, type InferenceState } from '../contract/index.ts'
import type { Inference, Placement } from './types.ts'

/** Where the choice outlives the engine; null keeps it in memory. */
export interface ChoiceStore {
  get(name: string): unknown
  set(name: string, value: unknown): void
}

const NAME = 'inference'
const stored = z.object({ settings: inferenceSettings, chosen: inferenceChoice.nullable() })
type Stored = z.infer<typeof stored>

export interface ChoiceOptions {
  inference: Inference
  store: ChoiceStore | null
  /** Threads where nothing was measured or chosen. */
  threads: number
  cores: number
}

/**
 * Which device and how many threads denoisers run with: what was set, and for `auto` what a measurement found
 * fastest; before there is one, the CPU with the machine's threads. A GPU is never tried unasked.
 */
export class InferenceChoice {
  readonly #options: ChoiceOptions
  #stored: Stored

  constructor(options: ChoiceOptions) {
    this.#options = options
    const found = stored.safeParse(options.store?.get(NAME))
    this.#stored = found.success ? found.data : { settings: { device: 'auto', threads: 'auto' }, chosen: null }
    this.#apply()
  }

  async state(): Promise<InferenceState> {
    const { inference, cores } = this.#options
    return { ...this.#stored, ...inference.placement(), devices: await inference.devices(), cores }
  }

  /** Errors: NOT_SUPPORTED_HERE, for a device that ONNX Runtime does not know on this system. */
  async configure(change: Partial<InferenceSettings>): Promise<InferenceState> {
    const { device } = change
    if (device !== undefined && device !== 'auto' && !(await this.#options.inference.devices()).includes(device)) {
      throw new LucidexError('NOT_SUPPORTED_HERE', `${device.toUpperCase()} is not there on this system`)
    }
    this.#save({ ...this.#stored, settings: { ...this.#stored.settings, ...change } })
    this.#apply()
    return this.state()
  }

  /** What a measurement found fastest: `auto` means it from now on. */
  choose(chosen: NonNullable<InferenceState['chosen']>): void {
    this.#save({ ...this.#stored, chosen })
    this.#apply()
  }

  /** What a measurement changes it puts back by this. */
  restore(): void {
    this.#apply()
  }

  #save(value: Stored): void {
    this.#stored = value
    this.#options.store?.set(NAME, value)
  }

  #apply(): void {
    const { settings, chosen } = this.#stored
    const { inference, threads } = this.#options
    const wanted: Placement = {
      device: settings.device === 'auto' ? (chosen?.device ?? 'cpu') : settings.device,
      threads: settings.threads === 'auto' ? (chosen?.threads ?? threads) : settings.threads,
    }
    const { device, threads: used } = inference.placement()
    if (device !== wanted.device || used !== wanted.threads || inference.placement().fellBack !== null) inference.configure(wanted)
  }
}
