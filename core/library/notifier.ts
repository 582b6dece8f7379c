/** Calls its listeners when told so, at most once in `intervalMs`: at once, or later for all that came in between. */
export class Notifier {
  readonly #intervalMs: number
  readonly #listeners = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #last = -Infinity

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  listen(listener: () => void): void {
    this.#listeners.add(listener)
  }

  notify(): void {
    if (this.#timer) return
    const wait = this.#last + this.#intervalMs - performance.now()
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#last = performance.now()
        for (const listener of this.#listeners) listener()
      },
      Math.max(0, wait),
    )
    this.#timer.unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#listeners.clear()
  }
}
