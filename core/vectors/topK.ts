/** A row of the vector store and its score. */
export interface Match {
  row: number
  score: number
}

/** The `k` best matches seen, in a heap with the worst on top. Of equal scores the earlier row is the better. */
export class TopK {
  readonly #k: number
  readonly #heap: Match[] = []

  constructor(k: number) {
    this.#k = k
  }

  get count(): number {
    return this.#heap.length
  }

  /** What is worse than this need not be added. */
  get threshold(): number {
    return this.#heap.length < this.#k ? -Infinity : (this.#heap[0]?.score ?? Infinity)
  }

  add(match: Match): void {
    const heap = this.#heap
    if (heap.length < this.#k) {
      heap.push(match)
      this.#rise(heap.length - 1)
    } else if (heap.length > 0 && worse(heap[0]!, match)) {
      heap[0] = match
      this.#sink()
    }
  }

  /** Best first. */
  sorted(): Match[] {
    return [...this.#heap].sort((a, b) => (worse(b, a) ? -1 : 1))
  }

  #rise(at: number): void {
    const heap = this.#heap
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!worse(heap[at]!, heap[parent]!)) return
      ;[heap[at], heap[parent]] = [heap[parent]!, heap[at]!]
      at = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let at = 0; ;) {
      let worst = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && worse(heap[child]!, heap[worst]!)) worst = child
      if (worst === at) return
      ;[heap[at], heap[worst]] = [heap[worst]!, heap[at]!]
      at = worst
    }
  }
}

function worse(a: Match, b: Match): boolean {
  return a.score < b.score || (a.score === b.score && a.row > b.row)
}
