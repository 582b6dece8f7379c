import { Worker } from 'node:worker_threads'
import { LucidexError } from '../contract/index.ts'
import type { Log } from '../deps.ts'
import type {
  CollectionMessage,
  CollectionOptions,
  CollectionReply,
  CollectionState,
  SearchAnswer,
  SearchRequest,
  VectorRows,
} from './messages.ts'

interface Listeners {
  log: Log
  changed: (state: CollectionState) => void
  /** The thread ended though nobody closed it: what it held is gone. */
  lost: () => void
}

/** The thread of core/vectors/worker.ts, seen from the engine. Messages are worked off in the order they are sent in. */
export class VectorThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (answer: SearchAnswer | undefined) => void; reject: (error: LucidexError) => void }>()
  readonly #exit: Promise<void>
  #nextId = 1
  #isClosing = false

  constructor(options: CollectionOptions, { log, changed, lost }: Listeners) {
    this.#worker = new Worker(workerUrl(), { workerData: options })
    this.#worker.on('message', (reply: CollectionReply) => {
      if (reply.kind === 'log') log[reply.level](reply.message)
      else if (reply.kind === 'state') changed(reply.state)
      else {
        const call = this.#pending.get(reply.id)
        this.#pending.delete(reply.id)
        if (reply.kind === 'answer') call?.resolve(reply.answer)
        else call?.reject(new LucidexError('INTERNAL', `The search failed: ${reply.message}`))
      }
    })
    let reason = ''
    this.#worker.on('error', (error) => (reason = `: ${(error as Error).message}`))
    this.#exit = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        for (const { reject } of this.#pending.values()) reject(new LucidexError('INTERNAL', `The vector index stopped${reason}`))
        this.#pending.clear()
        if (!this.#isClosing) {
          log.error(`The vector index stopped${reason}`)
          lost()
        }
        resolve()
      })
    })
  }

  add(rows: VectorRows): void {
    this.#post({ kind: 'add', rows }, [rows.ids.buffer, rows.images.buffer, rows.vectors.buffer] as ArrayBuffer[])
  }

  remove(images: number[]): void {
    this.#post({ kind: 'remove', images })
  }

  filled(): void {
    this.#post({ kind: 'filled' })
  }

  async search(request: SearchRequest): Promise<SearchAnswer> {
    return (await this.#call((id) => ({ kind: 'search', id, ...request })))!
  }

  async settled(): Promise<void> {
    await this.#call((id) => ({ kind: 'settle', id }))
  }

  /** Saves what is due. */
  async close(): Promise<void> {
    this.#isClosing = true
    // Where the thread is lost already there is nothing to wait for.
    await this.#call((id) => ({ kind: 'close', id })).catch(() => undefined)
    await this.#exit
  }

  #call(message: (id: number) => CollectionMessage): Promise<SearchAnswer | undefined> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#pending.set(id, { resolve, reject })
      this.#post(message(id))
    })
  }

  #post(message: CollectionMessage, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

/** The source in a checkout, where Node strips the types; the bundle beside this one once built (electron.vite.config.ts). */
function workerUrl(): URL {
  const file = import.meta.url.endsWith('.ts') ? 'worker.ts' : 'vector-worker.js'
  return new URL(file, import.meta.url)
}
