import type { Worker } from 'node:worker_threads'
import { LucidexError } from '../contract/index.ts'
import type { Log } from '../deps.ts'
import type { Calibration } from './calibration.ts'
import type { Answer, FellBack, TaskKind, Tasks, WorkerMessage } from './messages.ts'
import type { ModelFile, ModelRegistry } from './registry.ts'
import { planTiles } from './tiling.ts'
import type { Inference, Placement } from './types.ts'

export interface InferenceOptions {
  registry: ModelRegistry
  /** Starts core/inference/worker.ts, or its bundle. */
  spawnWorker(): Worker
  /** Threads a session computes with. */
  threads: number
  /** What spread means, by the models' hashes. */
  calibration?: Calibration
  log: Log
  /** Told why a device was given up for the CPU. */
  onFallback?(reason: string): void
}

/** Descriptors asked for at once: larger batches gain nothing on a CPU and delay what waits behind them. */
const BATCH = 16

/** A worker that stops this often without one answer in between is not started again. */
const CRASHES_MAX = 3

/** Starts the worker at the first call, and again after a crash. */
export function createInference({ registry, spawnWorker, threads, calibration = {}, log, onFallback }: InferenceOptions): Inference {
  let placement: Placement = { device: 'cpu', threads }
  let fellBack: string | null = null
  let worker: Worker | undefined
  let exited: Promise<void> = Promise.resolve()
  let crashes = 0
  let closed = false
  let nextId = 1
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: LucidexError): void }>()

  function start(): Worker {
    const started = spawnWorker()
    started.postMessage({ kind: 'settings', ...placement } satisfies WorkerMessage)
    started.on('message', (answer: Answer | FellBack) => {
      crashes = 0
      if ('kind' in answer) {
        fellBack = answer.reason
        placement = { ...placement, device: 'cpu' }
        log.warn(answer.reason)
        onFallback?.(answer.reason)
        return
      }
      const call = pending.get(answer.id)
      pending.delete(answer.id)
      if (answer.ok) {
        call?.resolve(answer.value)
      } else {
        const { code, message, ...extra } = answer.error
        call?.reject(new LucidexError(code, message, extra))
      }
    })
    let reason = ''
    started.on('error', (error) => (reason = `: ${(error as Error).message}`))
    exited = new Promise((resolve) => {
      started.once('exit', () => {
        worker = undefined
        if (!closed) {
          crashes++
          log.error(`The inference worker stopped${reason}`)
        }
        for (const call of pending.values()) call.reject(new LucidexError('INFERENCE_FAILED', `The inference worker stopped${reason}`))
        pending.clear()
        resolve()
      })
    })
    return started
  }

  function call<K extends TaskKind>(kind: K, request: Tasks[K]['request']): Promise<Tasks[K]['answer']> {
    return new Promise((resolve, reject) => {
      if (closed) throw new LucidexError('INFERENCE_FAILED', 'The engine is stopping')
      if (!worker && crashes >= CRASHES_MAX) {
        throw new LucidexError('INFERENCE_FAILED', `The inference worker stopped ${crashes} times in a row: restart the application`)
      }
      worker ??= start()
      const id = nextId++
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject })
      worker.postMessage({ id, kind, ...request } as WorkerMessage)
    })
  }

  /** Asks something of a model and remembers whether it could be loaded. */
  async function ask<K extends TaskKind>(model: ModelFile, kind: K, request: Tasks[K]['request']): Promise<Tasks[K]['answer']> {
    try {
      const value = await call(kind, request)
      registry.setState(model.id, 'ready')
      return value
    } catch (thrown) {
      if (thrown instanceof LucidexError && thrown.code.startsWith('MODEL_')) registry.setState(model.id, 'failed')
      throw thrown
    }
  }

  return {
    models: () => registry.list(),
    encoderHash: () => registry.encoder()?.sha256 ?? null,
    descriptorLength: () => registry.encoder()?.dimension ?? 0,
    relations() {
      const relations = registry.encoder()?.relations
      // "Uncalibrated": an encoder without thresholds never calls anything a copy.
      if (!relations) return { copy: 1, nearDuplicate: 1, similar: 1 }
      return { copy: relations.copy.minCosine, nearDuplicate: relations.nearDuplicate.minCosine, similar: relations.similar.minCosine }
    },
    async encode(inputs) {
      const model = registry.file({ kind: 'encoder' })
      const descriptors: Float32Array[] = []
      for (let start = 0; start < inputs.length; start += BATCH) {
        descriptors.push(...(await ask(model, 'encode', { model, inputs: inputs.slice(start, start + BATCH) })))
      }
      return descriptors
    },
    async decode(descriptors) {
      const model = registry.file({ kind: 'decoder' })
      const length = registry.decoder()!.latentNorm!
      return ask(model, 'decode', { model, latents: descriptors.map((descriptor) => descriptor.map((value) => value * length)) })
    },
    prepare(tier) {
      const load = async (wanted: Parameters<ModelRegistry['file']>[0]) => {
        const model = registry.file(wanted)
        await ask(model, 'load', { model, accelerated: wanted.kind === 'denoiser' })
      }
      for (const wanted of [{ kind: 'estimator' }, { kind: 'denoiser', tier }] as const) load(wanted).catch(() => undefined)
    },
    plan: (tier, size, use, part) => planTiles(size, registry.file({ kind: 'denoiser', tier }), use, part),
    async denoiseTile({ tier, ...tile }) {
      const model = registry.file({ kind: 'denoiser', tier })
      await ask(model, 'tile', { model, tile })
    },
    async spread(tier, tile) {
      const model = registry.file({ kind: 'denoiser', tier })
      return ask(model, 'spread', { model, tile })
    },
    confidenceCurve: (tier) => calibration[registry.file({ kind: 'denoiser', tier }).sha256] ?? null,
    devices: () => call('devices', {}),
    configure(wanted) {
      placement = wanted
      fellBack = null
      worker?.postMessage({ kind: 'settings', ...placement } satisfies WorkerMessage)
    },
    get threads() {
      return placement.threads
    },
    placement: () => ({ ...placement, fellBack }),
    async denoiseFloat(tier, planes, sigma, use = 'file') {
      const model = registry.file({ kind: 'denoiser', tier })
      return ask(model, 'planes', { model, planes, tiles: planTiles(planes, model, use), sigma })
    },
    async estimateNoise({ buffer, width, height, channels, bitDepth }, tiles) {
      const model = registry.file({ kind: 'estimator' })
      return ask(model, 'estimate', { model, source: { buffer, width, height, channels, bitDepth }, tiles })
    },
    async close() {
      closed = true
      worker?.postMessage({ kind: 'close' } satisfies WorkerMessage)
      await exited
    },
  }
}
