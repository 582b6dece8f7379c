/**
 * Gathers things and hands them on in batches, one batch at a time. Who adds the last thing of a batch waits
 * until it has been handed on: so no more than one batch for each adder is ever held.
 */
export class Batcher<T> {
  readonly #size: number
  readonly #maxAgeMs: number
  readonly #handOn: (batch: T[]) => Promise<void>
  #waiting: T[] = []
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  /** `maxAgeMs`: a smaller batch is handed on when its first thing has waited so long. */
  constructor(size: number, maxAgeMs: number, handOn: (batch: T[]) => Promise<void>) {
    this.#size = size
    this.#maxAgeMs = maxAgeMs
    this.#handOn = handOn
  }

  /** Rejects when this or an earlier batch could not be handed on. */
  async add(thing: T): Promise<void> {
    this.#waiting.push(thing)
    // A failure comes to light with the next add or flush.
    this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), this.#maxAgeMs)
    if (this.#waiting.length >= this.#size) await this.flush()
  }

  /** Hands on what waits. Rejects with the first failure of any batch. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = this.#waiting
    this.#waiting = []
    this.#last = this.#last.then(() => (batch.length > 0 ? this.#handOn(batch) : undefined))
    return this.#last
  }
}
