/** How far back the rate looks. Long enough to be calm, short enough to follow a slow folder. */
const WINDOW_MS = 8000

/** Units a second over the last seconds, from samples of a growing count. */
export class RateMeter {
  #samples: { at: number; count: number }[] = []

  add(at: number, count: number): void {
    this.#samples.push({ at, count })
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > WINDOW_MS) this.#samples.shift()
  }

  /** Forgets what was measured: after a pause the time that passed says nothing. */
  reset(): void {
    this.#samples = []
  }

  /** Null until two samples lie at least half a second apart. */
  perSecond(): number | null {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.at - first.at < 500) return null
    return ((last.count - first.count) / (last.at - first.at)) * 1000
  }
}
