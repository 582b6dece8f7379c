/** A gate that work passes while it is open and waits at while it is closed. */
export class Gate {
  #open = true
  #waiting: (() => void)[] = []

  close(): void {
    this.#open = false
  }

  open(): void {
    this.#open = true
    for (const proceed of this.#waiting.splice(0)) proceed()
  }

  /** Resolves when the gate is open; rejects with the signal's reason once it aborts. */
  async pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    while (!this.#open) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      signal.throwIfAborted()
    }
  }
}
