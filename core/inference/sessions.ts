import type { InferenceSession } from 'onnxruntime-node'
import { LucidexError, type Device } from '../contract/index.ts'
import { readModel, type ModelFile } from './registry.ts'

/** What of an ONNX session is used: a test's stand-in needs no more. */
export type Session = Pick<InferenceSession, 'run' | 'release'>

export interface SessionSettings {
  device: Device
  /** Threads that a session on the CPU computes with. */
  threads: number
  /**
   * Whether the threads wait for each other by spinning, as ONNX Runtime's do by default. A small network gains
   * nothing by it, and it takes the processors that decode the next pictures. Default true.
   */
  spin?: boolean
}

/**
 * How every session of the app is made. Memory patterns are off: measured, they gain no time and cost 100 MB
 * for a tile of the best model.
 */
export function sessionOptions({ device, threads, spin = true }: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    ...(!spin && { extra: { session: { intra_op: { allow_spinning: '0' } } } }),
  }
}

export interface SessionsOptions {
  create(bytes: Uint8Array, settings: SessionSettings): Promise<Session>
  /** Told when the device is given up for the CPU. */
  onFallback(reason: string): void
  read?: typeof readModel
}

/**
 * The sessions of the models in use, each made at its first use from bytes that were verified. Those that are
 * asked to are run on the chosen device. When that fails, while a session is made or in the middle of a
 * picture, the device is given up, and the same run is done again on the CPU: nothing is lost.
 */
export class ModelSessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  #settings: SessionSettings = { device: 'cpu', threads: 1 }

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** Another device or count of threads: sessions are made anew. Not while one runs. */
  async configure(settings: SessionSettings): Promise<void> {
    const same = settings.device === this.#settings.device && settings.threads === this.#settings.threads
    this.#settings = settings
    if (!same) await this.release()
  }

  /**
   * Runs a model. Only `accelerated` ones leave the CPU: small ones would lose more on the way than they gain.
   * `outputs`: only these, by default all; those that are given a tensor are written into it, so that no memory is
   * taken from the system for every run.
   * Errors: MODEL_NOT_FOUND, MODEL_CHECKSUM, MODEL_INVALID, and what the CPU's session throws.
   */
  async run(
    model: ModelFile,
    feeds: InferenceSession.FeedsType,
    { accelerated = false, spin = true, outputs }: { accelerated?: boolean; spin?: boolean; outputs?: InferenceSession.FetchesType } = {},
  ): Promise<InferenceSession.ReturnType> {
    return this.#orOnCpu(accelerated, async (device) => {
      const session = await this.#load(model, { device, spin })
      return outputs ? session.run(feeds, outputs) : session.run(feeds)
    })
  }

  /** Makes a model's session where {@link run} would, if there is none yet. Errors: the same. */
  async load(model: ModelFile, { accelerated = false, spin = true }: { accelerated?: boolean; spin?: boolean } = {}): Promise<void> {
    await this.#orOnCpu(accelerated, (device) => this.#load(model, { device, spin }))
  }

  /** Does something on the chosen device, if it is to be accelerated; and on the CPU when that fails. */
  async #orOnCpu<T>(accelerated: boolean, work: (device: Device) => Promise<T>): Promise<T> {
    const { device } = this.#settings
    if (!accelerated || device === 'cpu') return work('cpu')
    try {
      return await work(device)
    } catch (thrown) {
      // A model that is missing or damaged is so on every device.
      if (thrown instanceof LucidexError && thrown.code !== 'MODEL_INVALID') throw thrown
      await this.#giveUp(device, (thrown as Error).message)
      return work('cpu')
    }
  }

  async release(): Promise<void> {
    const all = [...this.#sessions.values()]
    this.#sessions.clear()
    // What a failed device cannot even let go of is gone with it.
    for (const session of all) await session.release().catch(() => undefined)
  }

  async #giveUp(device: Device, reason: string): Promise<void> {
    this.#settings = { ...this.#settings, device: 'cpu' }
    for (const [key, session] of [...this.#sessions]) {
      if (!key.startsWith(`${device}:`)) continue
      this.#sessions.delete(key)
      await session.release().catch(() => undefined)
    }
    this.#options.onFallback(`${device.toUpperCase()} failed and the CPU went on: ${reason.split('\n')[0]}`)
  }

  async #load(model: ModelFile, how: Pick<SessionSettings, 'device' | 'spin'>): Promise<Session> {
    const key = `${how.device}:${model.sha256}`
    const known = this.#sessions.get(key)
    if (known) return known
    const bytes = await (this.#options.read ?? readModel)(model)
    try {
      const session = await this.#options.create(bytes, { ...this.#settings, ...how })
      this.#sessions.set(key, session)
      return session
    } catch (thrown) {
      throw new LucidexError('MODEL_INVALID', `The model cannot be loaded: ${(thrown as Error).message}`, {
        path: model.path,
        cause: thrown,
      })
    }
  }
}
