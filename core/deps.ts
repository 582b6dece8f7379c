import type { Worker } from 'node:worker_threads'
import type { DecoderChild } from './decoder/types.ts'

/** What a host tells the engine about where it runs. */
export interface EngineConfig {
  /** Holds the catalog, the index snapshot and nothing else. Created when missing. */
  libraryDir: string
  /** Holds manifest.json and the ONNX files. */
  modelsDir: string
  version: string
  host: 'electron' | 'browser' | 'node'
  /** Opens the library for reading beside another process. */
  readOnly?: boolean
  /** Threads for inference; by default the machine's, at most eight. */
  threads?: number
  /** Whether folders are followed while the engine runs. Default true. */
  watch?: boolean
}

export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** What a host does for the engine. */
export interface EngineDeps {
  log: Log
  /** The time, in milliseconds since 1970; the system's unless a test says otherwise. */
  now?(): number
  /** Starts the worker thread that holds the ONNX sessions (core/inference/worker.ts, or its bundle). */
  spawnInferenceWorker(): Worker
  /**
   * Starts a process in which files that nobody vouches for are decoded (core/decoder/main.ts, or its bundle).
   * Without one they are decoded in the engine's own.
   */
  spawnDecoder?(): DecoderChild
}
