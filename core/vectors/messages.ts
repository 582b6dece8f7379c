import type { LibraryStatus } from '../contract/index.ts'

/** Given to the thread when it starts. */
export interface CollectionOptions {
  /** The library's folder, where the snapshot is. */
  dir: string
  /** The model hash of the encoder. */
  encoder: string
  dimension: number
  /** The snapshot is read, nothing is built or written. */
  readOnly: boolean
  /** With more vectors than this there is a graph. */
  graphFrom: number
}

/** Vectors from the catalog, in the order of their ids: little-endian float32, one after the other. */
export interface VectorRows {
  ids: Uint32Array
  images: Uint32Array
  vectors: Uint8Array
}

export interface SearchRequest {
  /** Of unit length. */
  query: Float32Array
  k: number
  /** Only these images, by id. */
  images?: Uint32Array
}

/** Images and their cosines, best first. */
export interface SearchAnswer {
  images: Uint32Array
  scores: Float64Array
  method: 'exact' | 'hnsw'
  searched: number
}

/**
 * A graph that finds a smaller share of what an exact scan finds is built anew: no sound graph of pictures'
 * descriptors falls there by chance of the sample (its standard error is some 0.005).
 */
export const LEAST_RECALL = 0.95

export interface CollectionState {
  /** Vectors that came in and that were taken out, since the thread started. */
  received: number
  removed: number
  /** How many of them the graph has not seen; 0 where there are too few for one. */
  behind: number
  kind: LibraryStatus['index']['kind']
  recall: LibraryStatus['index']['recall']
}

/** To the thread. What has an `id` is answered. */
export type CollectionMessage =
  | { kind: 'add'; rows: VectorRows }
  /** Taken out: the vectors of these images. */
  | { kind: 'remove'; images: number[] }
  /** All that the catalog holds has been added: the snapshot can be compared with it. */
  | { kind: 'filled' }
  | ({ kind: 'search'; id: number } & SearchRequest)
  /** Answered when the graph holds every vector and is checked. */
  | { kind: 'settle'; id: number }
  /** Stops work, writes what is due and ends the thread. */
  | { kind: 'close'; id: number }

/** From the thread. */
export type CollectionReply =
  | { kind: 'answer'; id: number; answer?: SearchAnswer }
  | { kind: 'failure'; id: number; message: string }
  | { kind: 'state'; state: CollectionState }
  | { kind: 'log'; level: 'info' | 'warn'; message: string }
