import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HierarchicalNSW } from 'hnswlib-node'
import type { Log } from '../deps.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import type { VectorStore } from './store.ts'
import type { TopK } from './topK.ts'

/** Links of each vector and breadth of the search for them (Malkov & Yashunin, 2018, M and efConstruction). */
const LINKS = 16
const EF_BUILD = 200
/** The least breadth of a search. */
const EF_SEARCH = 128
/** How long vectors are added before the event loop gets a turn, in milliseconds; one takes some 0.3 ms. */
const SLICE_MS = 8

/**
 * A hierarchical navigable small world graph (Malkov & Yashunin, "Efficient and robust approximate nearest
 * neighbor search using hierarchical navigable small world graphs", 2018; hnswlib) over the first
 * {@link covered} rows of a store. Its labels are vector ids, which are never used again. It is only a copy:
 * the vectors in the catalog are the truth, and the snapshot on disk is used when it agrees with them.
 */
export class Graph {
  readonly #store: VectorStore
  readonly #index: HierarchicalNSW
  #covered = 0
  /** Labels in the graph whose vectors are gone. They are marked, so that they are never answered. */
  #deleted = 0

  private constructor(store: VectorStore, index: HierarchicalNSW) {
    this.#store = store
    this.#index = index
  }

  static async empty(store: VectorStore): Promise<Graph> {
    const graph = new Graph(store, await createIndex(store.dimension))
    graph.#index.initIndex(capacityFor(store.count), LINKS, EF_BUILD)
    return graph
  }

  /** The snapshot in `dir`, brought to agree with the store; an empty graph when there is none that can be. */
  static async load(store: VectorStore, dir: string, encoder: string, log: Log): Promise<Graph> {
    const snapshot = await readSnapshot(dir, { encoder, dimension: store.dimension })
    const loaded = 'reason' in snapshot ? snapshot.reason : await Graph.#read(store, snapshot.graph, snapshot.header.generation)
    if (loaded instanceof Graph) return loaded
    log.info(`The vector index is built anew: ${loaded === 'there is none' ? 'there is no snapshot yet' : `of the snapshot, ${loaded}`}`)
    return Graph.empty(store)
  }

  static async #read(store: VectorStore, file: string, generation: number): Promise<Graph | string> {
    const graph = new Graph(store, await createIndex(store.dimension))
    try {
      await graph.#index.readIndex(file)
    } catch (thrown) {
      return `its graph cannot be read (${(thrown as Error).message})`
    }
    const covered = store.rowsUpTo(generation)
    let kept = 0
    for (const [at, label] of graph.#index.getIdsList().entries()) {
      if (at % 10_000 === 9_999) await nextTurn()
      const row = store.rowOfId(label)
      if (row === undefined) graph.#remove(label)
      else if (row < covered) kept++
    }
    // Rows that the snapshot claims to cover and does not: it was made over another catalog.
    if (kept !== covered) return 'its vectors are not those of this library'
    graph.#covered = covered
    return graph
  }

  /** How many rows of the store, from the first, are in the graph. */
  get covered(): number {
    return this.#covered
  }

  /** Mostly marked rows make a graph slow: better built anew. */
  get isWorn(): boolean {
    return this.#deleted > this.#covered
  }

  /** The nearest of the covered rows to `query` into `best`. */
  search(query: Float32Array, k: number, best: TopK): void {
    this.#index.setEf(Math.max(EF_SEARCH, 2 * k))
    const { neighbors, distances } = this.#index.searchKnn(Array.from(query), Math.min(k, this.#covered))
    for (const [at, label] of neighbors.entries()) {
      const row = this.#store.rowOfId(label)
      if (row !== undefined) best.add({ row, score: 1 - distances[at]! })
    }
  }

  /** Adds the rows that are missing, in slices, until all are covered or `signal` aborts. */
  async catchUp(signal: AbortSignal): Promise<void> {
    while (this.#covered < this.#store.count && !signal.aborted) {
      const until = performance.now() + SLICE_MS
      while (this.#covered < this.#store.count && performance.now() < until) this.#addNext()
      await nextTurn()
    }
  }

  async save(dir: string, encoder: string): Promise<void> {
    const generation = this.#covered === 0 ? 0 : this.#store.id(this.#covered - 1)
    const header = { encoder, dimension: this.#store.dimension, count: this.#covered, generation }
    await writeSnapshot(dir, header, (file) => this.#index.writeIndex(file))
  }

  #addNext(): void {
    if (this.#index.getCurrentCount() === this.#index.getMaxElements()) this.#index.resizeIndex(capacityFor(this.#store.count))
    this.#index.addPoint(Array.from(this.#store.vector(this.#covered)), this.#store.id(this.#covered))
    this.#covered++
  }

  #remove(label: number): void {
    this.#index.markDelete(label)
    this.#deleted++
  }
}

/** The addon is loaded when it is first needed: a small library needs none. */
async function createIndex(dimension: number): Promise<HierarchicalNSW> {
  const { default: hnswlib } = await import('hnswlib-node')
  return new hnswlib.HierarchicalNSW('ip', dimension)
}

function capacityFor(count: number): number {
  return Math.max(10_000, count * 2)
}
