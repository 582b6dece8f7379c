/**
 * Decoding of files that nobody vouches for, in processes of their own: a crash, a hang or a runaway
 * allocation costs one file, not the engine.
 *
 * - {@link createDecoder}: over a host's `spawnDecoder`
 * - {@link decodeHere}: the same in this process, for tests and benches, whose files are their own
 */
import { availableParallelism, totalmem } from 'node:os'
import { readForIndex, readForQuery, readForSearch, readPicture, readView, inspectPicture } from '../images/index.ts'
import type { Log } from '../deps.ts'
import type { Operation, Operations } from './messages.ts'
import { DecoderPool } from './pool.ts'
import type { DecoderChild, DecoderLimits, PictureDecoder } from './types.ts'

export { serveDecoder } from './serve.ts'
export type { DecoderChild, DecoderLimits, PictureDecoder } from './types.ts'

const GIB = 2 ** 30

/** What one file may cost. Memory: half the machine's, which the largest picture that is denoised needs on an ordinary one. */
export const LIMITS: DecoderLimits = {
  decodeMs: 60_000,
  readMs: 120_000,
  memoryBytes: Math.min(6 * GIB, Math.max(GIB, Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 2)),
}

/** Files that a process reads for the index at a time: one is decoded while the next comes from the disk. */
const SLOTS = 2
const INDEXERS = Math.min(availableParallelism(), 8)
/** What the window asks for at a time. */
const VIEWING_SLOTS = 4
/** Without work for so long, a process is ended. Who looks at pictures may look at one for minutes. */
const IDLE_MS = 20_000
const VIEWING_IDLE_MS = 300_000

export interface DecoderOptions {
  spawn(): DecoderChild
  log: Log
  limits?: DecoderLimits
  /** Processes that read for the index. */
  indexers?: number
  /** Instead of what suits either kind of process. */
  idleMs?: number
}

/**
 * Pictures for the index are read by processes of their own, so that neither their number nor a file that takes
 * one of them down keeps a person waiting.
 */
export function createDecoder({ spawn, log, limits = LIMITS, indexers = INDEXERS, idleMs }: DecoderOptions): PictureDecoder {
  const indexing = new DecoderPool({ spawn, processes: indexers, slots: SLOTS, limits, idleMs: idleMs ?? IDLE_MS, log })
  const viewing = new DecoderPool({ spawn, processes: 1, slots: VIEWING_SLOTS, limits, idleMs: idleMs ?? VIEWING_IDLE_MS, log })

  function ask<O extends Operation>(
    pool: DecoderPool,
    operation: O,
    path: string,
    argument: Operations[O]['argument'],
    makeBulk?: (bytes: number) => Uint8Array,
  ): Promise<{ value: Operations[O]['value']; bulk: Uint8Array | undefined }> {
    return new Promise((resolve, reject) => {
      pool.run({ operation, path, argument, makeBulk, resolve: (value, bulk) => resolve({ value: value as never, bulk }), reject })
    })
  }

  return {
    inspect: async (path) => (await ask(viewing, 'inspect', path, undefined)).value,
    readForIndex: async (path, maxPixels) => (await ask(indexing, 'readForIndex', path, maxPixels)).value,
    readForQuery: async (path, region) => (await ask(viewing, 'readForQuery', path, region)).value,
    readForSearch: async (path, region) => (await ask(viewing, 'readForSearch', path, region)).value,
    async readView(path, maxPx) {
      const { bulk } = await ask(viewing, 'readView', path, maxPx, (bytes) => new Uint8Array(bytes))
      return bulk!
    },
    async readPicture(path) {
      const buffers: SharedArrayBuffer[] = []
      const { value } = await ask(viewing, 'readPicture', path, undefined, (bytes) => {
        buffers.push(new SharedArrayBuffer(bytes))
        return new Uint8Array(buffers.at(-1)!)
      })
      // Where a process fell midway, only the last attempt is whole.
      return { ...value, buffer: buffers.at(-1)! }
    },
    async close() {
      indexing.close()
      viewing.close()
    },
  }
}

/** Decodes in this process. */
export const decodeHere: PictureDecoder = {
  inspect: (path) => inspectPicture(path),
  readForIndex: (path, maxPixels) => readForIndex(path, path, maxPixels),
  readForQuery: (path, region) => readForQuery(path, region),
  readForSearch: (path, region) => readForSearch(path, region),
  readView: (path, maxPx) => readView(path, maxPx),
  readPicture: (path) => readPicture(path),
  close: async () => {},
}
