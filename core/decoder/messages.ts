/** What the engine and a decoder process say to each other. */
import type { ErrorData, Region } from '../contract/index.ts'
import type { IndexedPicture, Picture, PictureFacts, QueryPicture, SearchPicture } from '../images/index.ts'

/** Each operation on a file with its argument and its answer. */
export interface Operations {
  inspect: { argument: undefined; value: PictureFacts }
  readForIndex: { argument: number | undefined; value: IndexedPicture }
  readForQuery: { argument: Region | undefined; value: QueryPicture }
  readForSearch: { argument: Region | undefined; value: SearchPicture }
  /** The encoded view travels as the bulk. */
  readView: { argument: number | undefined; value: null }
  /** The samples travel as the bulk. */
  readPicture: { argument: undefined; value: Omit<Picture, 'buffer'> }
}
export type Operation = keyof Operations

export type EngineMessage =
  | { kind: 'start'; memoryBytes: number }
  | { kind: 'ask'; id: number; operation: Operation; path: string; argument: unknown }
  /** A slice of the bulk has arrived: another may be sent. */
  | { kind: 'took'; id: number }

export type DecoderMessage =
  | { kind: 'ready' }
  /** The file's bytes are in memory: what takes time from here is decoding. */
  | { kind: 'read'; id: number }
  /** What is large comes before its answer, in slices, so that neither side's loop is held by it. */
  | { kind: 'slice'; id: number; at: number; total: number; bytes: Uint8Array }
  | { kind: 'done'; id: number; value: Operations[Operation]['value'] }
  | { kind: 'failed'; id: number; error: ErrorData }
  /** The process holds more memory than it may. */
  | { kind: 'memory'; bytes: number }

/** Bytes of a slice. */
export const SLICE = 2 ** 20
/** Slices under way at a time. */
export const SLICES_AHEAD = 4
