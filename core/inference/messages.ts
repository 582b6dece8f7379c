/** What the engine's thread and the inference worker say to each other. */
import type { Device, ErrorData } from '../contract/index.ts'
import type { NoiseEstimate } from '../denoise/estimate.ts'
import type { ModelFile } from './registry.ts'
import type { Planes } from './samples.ts'
import type { SessionSettings } from './sessions.ts'
import type { Tile } from './tiling.ts'
import type { Decoded, SpreadRequest, TileRequest } from './types.ts'

/** Each task with its answer. */
export interface Tasks {
  tile: { request: { model: ModelFile; tile: Omit<TileRequest, 'tier'> }; answer: undefined }
  spread: { request: { model: ModelFile; tile: SpreadRequest }; answer: Float32Array }
  load: { request: { model: ModelFile; accelerated: boolean }; answer: undefined }
  devices: { request: object; answer: Device[] }
  planes: { request: { model: ModelFile; planes: Planes; tiles: Tile[]; sigma: number }; answer: Planes }
  decode: { request: { model: ModelFile; latents: Float32Array[] }; answer: Decoded[] }
  encode: { request: { model: ModelFile; inputs: Uint8Array[] }; answer: Float32Array[] }
  estimate: { request: { model: ModelFile; source: TileRequest['source']; tiles: number | undefined }; answer: NoiseEstimate }
}
export type TaskKind = keyof Tasks

export type Request = { [K in TaskKind]: { id: number; kind: K } & Tasks[K]['request'] }[TaskKind]
export type WorkerMessage = Request | ({ kind: 'settings' } & SessionSettings) | { kind: 'close' }
export type Answer = { id: number; ok: true; value: Tasks[TaskKind]['answer'] } | { id: number; ok: false; error: ErrorData }

/** Not an answer: a device was given up for the CPU. */
export interface FellBack {
  kind: 'fellBack'
  reason: string
}
