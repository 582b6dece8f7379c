/**
 * A share of memory that work waits for. What is larger than the whole share is let in when nothing else
 * holds any of it: large pictures go one at a time, small ones overlap.
 */
export class Budget {
  readonly #bytes: number
  #held = 0
  #waiting: (() => void)[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Resolves, in any order of waiting, when there is room; answers the function that gives it back. */
  async take(bytes: number): Promise<() => void> {
    while (this.#held > 0 && this.#held + bytes > this.#bytes) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#held += bytes
    let given = false
    return () => {
      if (given) return
      given = true
      this.#held -= bytes
      for (const proceed of this.#waiting.splice(0)) proceed()
    }
  }
}
