import { Worker } from 'node:worker_threads'
import { spawnNodeDecoder } from '../decoder/node.ts'
import type { EngineDeps, Log } from '../deps.ts'

/** A log on standard error: standard output belongs to results. */
export const stderrLog: Log = {
  info: (message) => console.error(message),
  warn: (message) => console.error(`warning: ${message}`),
  error: (message) => console.error(`error: ${message}`),
}

export const silentLog: Log = { info() {}, warn() {}, error() {} }

/** What plain Node does for the engine: the command line, the browser host and tests use this. */
export function nodeDeps(log: Log = stderrLog): EngineDeps {
  return {
    log,
    spawnInferenceWorker: () => new Worker(workerUrl('../inference/worker.ts', 'inference-worker.js')),
    spawnDecoder: () => spawnNodeDecoder(workerUrl('../decoder/main.ts', 'decoder.js')),
  }
}

/** A worker's source in a checkout, where Node strips the types; its bundle beside this file once built. */
function workerUrl(source: string, bundle: string): URL {
  return import.meta.url.endsWith('.ts') ? new URL(source, import.meta.url) : new URL(bundle, import.meta.url)
}
