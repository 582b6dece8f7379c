import { Worker } from 'node:worker_threads'

/** The inference worker as a Node host starts it. */
export function spawnNodeInferenceWorker(): Worker {
  return new Worker(new URL('../../../core/inference/worker.ts', import.meta.url))
}
