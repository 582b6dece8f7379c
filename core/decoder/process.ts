import { LucidexError } from '../contract/errors.ts'
import type { DecoderMessage, EngineMessage, Operation } from './messages.ts'
import type { DecoderChild, DecoderLimits } from './types.ts'

/** Something asked of one file. */
export interface Task {
  operation: Operation
  path: string
  argument: unknown
  /** Where the bulk of the answer goes, made when its size is known. */
  makeBulk?: (bytes: number) => Uint8Array
  resolve(value: unknown, bulk: Uint8Array | undefined): void
  reject(error: LucidexError): void
  /** How often a process crashed with this file alone in it. */
  crashes: number
}

/** Why a process ended: it fell, or it was ended over one of its limits. */
export type Cause = 'crash' | 'memory' | 'starting' | 'decoding' | 'reading'

export interface End {
  cause: Cause
  /** For the log. */
  reason: string
  /** It had started and taken tasks. */
  wasReady: boolean
  /** Tasks that were not answered. */
  tasks: Task[]
}

/** A process that has not started by then does not start, milliseconds. */
const START_MS = 30_000

interface Running {
  task: Task
  /** From when the process has started. */
  timer?: NodeJS.Timeout
  bulk?: Uint8Array
}

export interface ProcessOptions {
  limits: DecoderLimits
  /** A task was answered: there is room for another. */
  onRoom(): void
  /** The process is gone. Called once; not after {@link DecoderProcess.stop}. */
  onEnd(end: End): void
}

/** One life of a decoder process: hands it tasks, watches its limits and tells what was left when it ended. */
export class DecoderProcess {
  readonly #child: DecoderChild
  readonly #options: ProcessOptions
  readonly #running = new Map<number, Running>()
  readonly #starting: NodeJS.Timeout
  #lastId = 0
  #ready = false
  #ended = false

  constructor(child: DecoderChild, options: ProcessOptions) {
    this.#child = child
    this.#options = options
    this.#starting = this.#limit('starting', START_MS)
    child.transport.onMessage((message) => {
      try {
        this.#receive(message as DecoderMessage)
      } catch (thrown) {
        // A process that a file has got the better of may say anything.
        this.#end('crash', `it makes no sense: ${(thrown as Error).message}`)
      }
    })
    child.onExit((reason) => this.#end('crash', reason))
    this.#post({ kind: 'start', memoryBytes: options.limits.memoryBytes })
  }

  /** How many files it is busy with. */
  get load(): number {
    return this.#running.size
  }

  run(task: Task): void {
    const id = ++this.#lastId
    this.#running.set(id, { task })
    if (this.#ready) this.#begin(id, 'reading', this.#options.limits.readMs)
    this.#post({ kind: 'ask', id, operation: task.operation, path: task.path, argument: task.argument })
  }

  /** Ends it at once and answers what it had not done. */
  stop(): Task[] {
    this.#ended = true
    this.#child.kill()
    this.#child.transport.close()
    return this.#takeTasks()
  }

  #receive(message: DecoderMessage): void {
    if (this.#ended) return
    switch (message.kind) {
      case 'ready':
        return this.#beginReading()
      case 'memory':
        return this.#end('memory', `${Math.round(message.bytes / 2 ** 20)} MiB`)
      case 'read':
        return this.#begin(message.id, 'decoding', this.#options.limits.decodeMs)
      case 'slice':
        return this.#take(message)
      case 'done':
        return this.#settle(message.id, ({ task, bulk }) => task.resolve(message.value, bulk))
      case 'failed': {
        const { code, message: text, ...extra } = message.error
        return this.#settle(message.id, ({ task }) => task.reject(new LucidexError(code, text, extra)))
      }
    }
  }

  #beginReading(): void {
    this.#ready = true
    clearTimeout(this.#starting)
    for (const id of this.#running.keys()) this.#begin(id, 'reading', this.#options.limits.readMs)
  }

  #begin(id: number, step: Cause, milliseconds: number): void {
    const running = this.#running.get(id)
    if (!running) return
    clearTimeout(running.timer)
    running.timer = this.#limit(step, milliseconds)
  }

  #take({ id, at, total, bytes }: Extract<DecoderMessage, { kind: 'slice' }>): void {
    const running = this.#running.get(id)
    if (!running) return
    running.bulk ??= running.task.makeBulk?.(total)
    // Copied: they are the pipe's own.
    running.bulk?.set(bytes, at)
    this.#post({ kind: 'took', id })
  }

  #settle(id: number, answer: (running: Running) => void): void {
    const running = this.#running.get(id)
    if (!running) return
    clearTimeout(running.timer)
    this.#running.delete(id)
    answer(running)
    this.#options.onRoom()
  }

  #limit(cause: Cause, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#end(cause, `${cause} took over ${milliseconds / 1000} s`), milliseconds)
  }

  /** Does not wait for a killed process to be gone: one that waits for a dead disk cannot be killed. */
  #end(cause: Cause, reason: string): void {
    if (this.#ended) return
    const tasks = this.stop()
    this.#options.onEnd({ cause, reason, wasReady: this.#ready, tasks })
  }

  #takeTasks(): Task[] {
    clearTimeout(this.#starting)
    const running = [...this.#running.values()]
    this.#running.clear()
    for (const { timer } of running) clearTimeout(timer)
    return running.map(({ task }) => task)
  }

  #post(message: EngineMessage): void {
    this.#child.transport.post(message)
  }
}
