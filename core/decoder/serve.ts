import { setFlagsFromString } from 'node:v8'
import sharp from 'sharp'
import { toErrorData } from '../contract/errors.ts'
import type { Transport } from '../contract/index.ts'
import {
  decodeOpened,
  inspectPicture,
  openPicture,
  readBytes,
  readForIndex,
  readForQuery,
  readForSearch,
  readView,
} from '../images/index.ts'
import { SLICE, SLICES_AHEAD, type DecoderMessage, type EngineMessage, type Operation, type Operations } from './messages.ts'

/** How often the process looks at its own memory, milliseconds. */
const WATCH_MS = 100

type Answer<O extends Operation> = { value: Operations[O]['value']; bulk?: Uint8Array }
type Perform = { [O in Operation]: (bytes: Uint8Array, path: string, argument: Operations[O]['argument']) => Promise<Answer<O>> }

const perform: Perform = {
  inspect: async (bytes, path) => ({ value: await inspectPicture(bytes, path) }),
  readForIndex: async (bytes, path, maxPixels) => ({ value: await readForIndex(bytes, path, maxPixels) }),
  readForQuery: async (bytes, path, region) => ({ value: await readForQuery(bytes, region, path) }),
  readForSearch: async (bytes, path, region) => ({ value: await readForSearch(bytes, region, path) }),
  readView: async (bytes, path, maxPx) => ({ value: null, bulk: await readView(bytes, maxPx, path) }),
  readPicture: async (bytes, path) => {
    const { samples, ...value } = await decodeOpened(await openPicture(bytes, path))
    return { value, bulk: samples }
  },
}

/** Answers what the engine asks, as many files at a time as it asks for. The caller ends the process when the transport closes. */
export function serveDecoder(transport: Transport): void {
  // No file is decoded twice: what libvips would keep of them is memory lost.
  sharp.cache(false)
  // What a picture leaves behind in V8 dies young; left alone, the space for it grows by 100 MB and nothing is gained.
  setFlagsFromString('--semi-space-growth-factor=1')
  const post = (message: DecoderMessage) => transport.post(message)
  /** Bulks under way: told of each slice that has arrived. */
  const took = new Map<number, () => void>()

  async function answer({ id, operation, path, argument }: Extract<EngineMessage, { kind: 'ask' }>): Promise<void> {
    try {
      const bytes = await readBytes(path)
      post({ kind: 'read', id })
      const { value, bulk } = await perform[operation](bytes, path, argument as never)
      if (bulk) await sendBulk(id, bulk)
      post({ kind: 'done', id, value })
    } catch (thrown) {
      post({ kind: 'failed', id, error: { path, ...toErrorData(thrown) } })
    }
  }

  async function sendBulk(id: number, bulk: Uint8Array): Promise<void> {
    let ahead = 0
    let proceed = () => {}
    took.set(id, () => {
      ahead--
      proceed()
    })
    for (let at = 0; at < bulk.length; at += SLICE) {
      if (ahead === SLICES_AHEAD) await new Promise<void>((resolve) => (proceed = resolve))
      ahead++
      post({ kind: 'slice', id, at, total: bulk.length, bytes: bulk.subarray(at, at + SLICE) })
    }
    took.delete(id)
  }

  transport.onMessage((message) => {
    const request = message as EngineMessage
    if (request.kind === 'ask') void answer(request)
    else if (request.kind === 'took') took.get(request.id)?.()
    else watchMemory(request.memoryBytes, (bytes) => post({ kind: 'memory', bytes }))
  })
  post({ kind: 'ready' })
}

function watchMemory(limit: number, exceeded: (bytes: number) => void): void {
  setInterval(() => {
    const bytes = process.memoryUsage.rss()
    if (bytes > limit) exceeded(bytes)
  }, WATCH_MS).unref()
}
