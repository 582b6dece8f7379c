import { LucidexError } from '../contract/errors.ts'
import type { Log } from '../deps.ts'
import { DecoderProcess, type Cause, type End, type Task } from './process.ts'
import type { DecoderChild, DecoderLimits } from './types.ts'

export interface PoolOptions {
  spawn(): DecoderChild
  /** Processes at most; each is started when the others are busy. */
  processes: number
  /** Files that one process works on at a time. */
  slots: number
  limits: DecoderLimits
  /** A process with nothing to do is ended after so many milliseconds. */
  idleMs: number
  log: Log
}

/** A process that ends so often before it takes a task does not start at all. */
const STARTS_MAX = 3

/** A place for a process: its lives follow one another. */
interface Seat {
  process: DecoderProcess | undefined
  /** Tasks that were under way in a process that ended: one of them ended it. Each is tried alone. */
  suspects: Task[]
  /** A suspect is being tried. */
  alone: boolean
  idle: NodeJS.Timeout | undefined
}

/**
 * A few processes that decode. When one ends with several files under way, nobody knows which of them ended it:
 * each is tried again with no other beside it, so that only the culprit fails.
 */
export class DecoderPool {
  readonly #options: PoolOptions
  readonly #seats: Seat[]
  readonly #queue: Task[] = []
  #failedStarts = 0
  #closed = false
  /** Starting a process takes the engine's loop some ten milliseconds: one a turn. */
  #hasStarted = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#seats = Array.from({ length: options.processes }, () => ({ process: undefined, suspects: [], alone: false, idle: undefined }))
  }

  run(task: Omit<Task, 'crashes'>): void {
    if (this.#closed) return task.reject(stopping())
    this.#queue.push({ ...task, crashes: 0 })
    this.#fill()
  }

  close(): void {
    this.#closed = true
    const left = this.#queue.splice(0)
    for (const seat of this.#seats) {
      clearTimeout(seat.idle)
      left.push(...seat.suspects.splice(0), ...(seat.process?.stop() ?? []))
      seat.process = undefined
    }
    for (const task of left) task.reject(stopping())
  }

  /** Gives tasks to whoever has room: suspects first, then the least busy process, a new one when all are busy. */
  #fill(): void {
    for (const seat of this.#seats) {
      if (seat.suspects.length === 0 || (seat.process?.load ?? 0) > 0) continue
      seat.alone = true
      this.#give(seat, seat.suspects.shift()!)
    }
    while (this.#queue.length > 0) {
      const seat = this.#seatWithRoom()
      if (!seat) return
      this.#give(seat, this.#queue.shift()!)
    }
    for (const seat of this.#seats) this.#minded(seat)
  }

  #seatWithRoom(): Seat | undefined {
    const free = this.#seats.filter((seat) => !seat.alone && seat.suspects.length === 0)
    const load = ({ process }: Seat) => process?.load ?? 0
    const started = free.filter((seat) => seat.process !== undefined).sort((a, b) => load(a) - load(b))
    const [least] = started
    if (least && load(least) === 0) return least
    const idle = this.#hasStarted ? undefined : free.find((candidate) => candidate.process === undefined)
    const seat = idle ?? least
    return seat && load(seat) < this.#options.slots ? seat : undefined
  }

  #give(seat: Seat, task: Task): void {
    clearTimeout(seat.idle)
    seat.process ??= this.#start(seat)
    seat.process.run(task)
  }

  #start(seat: Seat): DecoderProcess {
    const { spawn, limits } = this.#options
    this.#hasStarted = true
    setImmediate(() => {
      this.#hasStarted = false
      this.#fill()
    })
    return new DecoderProcess(spawn(), {
      limits,
      onRoom: () => {
        this.#failedStarts = 0
        seat.alone = false
        this.#fill()
      },
      onEnd: (end) => this.#lost(seat, end),
    })
  }

  #lost(seat: Seat, { cause, reason, wasReady, tasks }: End): void {
    const wasAlone = tasks.length === 1
    seat.process = undefined
    seat.alone = false
    this.#options.log.warn(`A decoder stopped (${reason}) at ${tasks.map(({ path }) => path).join(', ') || 'nothing'}`)
    if (!wasReady) this.#failStart(tasks, reason)
    else if (!wasAlone) seat.suspects.push(...tasks)
    else this.#judge(seat, tasks[0]!, cause)
    this.#fill()
  }

  /** A process may also be killed from outside: a file has crashed one when two have ended with it alone. */
  #judge(seat: Seat, task: Task, cause: Cause): void {
    if (cause === 'crash' && ++task.crashes < 2) seat.suspects.push(task)
    else task.reject(this.#blame(task.path, cause))
  }

  #blame(path: string, cause: Cause): LucidexError {
    const { decodeMs, readMs, memoryBytes } = this.#options.limits
    switch (cause) {
      case 'crash':
      case 'starting':
        return new LucidexError('DECODER_CRASHED', 'The decoder crashed on this file', { path })
      case 'decoding':
        return new LucidexError('DECODE_TIMEOUT', `Decoding took longer than ${decodeMs / 1000} seconds`, { path })
      case 'reading':
        return new LucidexError('FILE_NOT_READABLE', `Reading the file took longer than ${readMs / 1000} seconds`, { path })
      case 'memory':
        return new LucidexError('PICTURE_TOO_LARGE', `Decoding takes more than ${Math.round(memoryBytes / 2 ** 20)} MiB of memory`, {
          path,
        })
    }
  }

  /** No file is to blame: what was asked waits for the next start, and fails when there is none. */
  #failStart(tasks: Task[], reason: string): void {
    this.#queue.unshift(...tasks)
    if (++this.#failedStarts < STARTS_MAX) return
    this.#failedStarts = 0
    const error = (path: string) => new LucidexError('INTERNAL', `The decoder process does not start: ${reason}`, { path })
    for (const task of this.#queue.splice(0)) task.reject(error(task.path))
  }

  /** Ends a process that stays without work. */
  #minded(seat: Seat): void {
    clearTimeout(seat.idle)
    if (!seat.process || seat.process.load > 0) return
    seat.idle = setTimeout(() => {
      seat.process?.stop()
      seat.process = undefined
    }, this.#options.idleMs).unref()
  }
}

function stopping(): LucidexError {
  return new LucidexError('CANCELLED', 'The engine is stopping')
}
