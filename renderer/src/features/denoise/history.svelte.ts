/** Steps of editing that can be taken back and made again. */
export class History<T extends Record<string, unknown>> {
  #steps = $state.raw<T[]>([])
  #at = $state(0)

  get canUndo(): boolean {
    return this.#at > 0
  }

  get canRedo(): boolean {
    return this.#at < this.#steps.length - 1
  }

  /** Forgets all steps: from here on, `first` is where undoing ends. */
  start(first: T): void {
    this.#steps = [first]
    this.#at = 0
  }

  /** Records a step, and forgets what was undone. The same as the current one is no step. */
  record(step: T): void {
    const current = this.#steps[this.#at]
    if (current && Object.keys(step).every((key) => Object.is(step[key], current[key]))) return
    this.#steps = [...this.#steps.slice(0, this.#at + 1), step]
    this.#at = this.#steps.length - 1
  }

  /** The step before, which is the current one now; undefined when there is none. */
  undo(): T | undefined {
    if (!this.canUndo) return undefined
    this.#at -= 1
    return this.#steps[this.#at]
  }

  redo(): T | undefined {
    if (!this.canRedo) return undefined
    this.#at += 1
    return this.#steps[this.#at]
  }
}
