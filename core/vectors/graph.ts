import type { HierarchicalNSW } from 'hnswlib-node'
import type { SnapshotRows } from './snapshot.ts'
import { decode, type VectorStore } from './store.ts'

/** Links of each vector and breadth of the search for them (Malkov & Yashunin, 2018, M and efConstruction). */
const LINKS = 16
const EF_BUILD = 100
/** When more than this share of the labels is marked, the graph is worth building anew. */
const MAX_MARKED = 0.2

/**
 * A hierarchical navigable small world graph (Malkov & Yashunin, "Efficient and robust approximate nearest
 * neighbor search using hierarchical navigable small world graphs", 2018; hnswlib) over the rows of a store up to
 * an id. Its labels are vector ids, which are never used again. Every call holds the thread for as long as it takes.
 */
export class Graph {
  readonly #index: HierarchicalNSW
  #through = 0
  /** Labels in the graph, and those of them whose vectors were removed: marked, so that they are never answered. */
  #labels = 0
  #marked = 0
  /** Labels to mark when the graph is not being written. */
  #removed: number[] = []

  private constructor(index: HierarchicalNSW) {
    this.#index = index
  }

  static async empty(store: VectorStore): Promise<Graph> {
    const graph = new Graph(await createIndex(store.dimension))
    graph.#index.initIndex(capacityFor(store.count), LINKS, EF_BUILD)
    return graph
  }

  /**
   * The graph in a file that was checked (hnswlib reads what it is given), or undefined when it is not of this
   * store's vectors. `rows`: what was in it when it was written; what was taken out of the store since is marked.
   */
  static async read(file: string, store: VectorStore, rows: SnapshotRows): Promise<Graph | undefined> {
    const graph = new Graph(await createIndex(store.dimension))
    await graph.#index.readIndex(file)
    const gone = differences(store, rows)
    if (!gone) {
      graph.free()
      return undefined
    }
    graph.#labels = graph.#index.getCurrentCount()
    graph.#marked = graph.#labels - rows.ids.length
    graph.#removed = gone
    // A catalog that was put back to an older state gives later ids anew: hnswlib replaces what it knows by them.
    graph.#through = Math.min(rows.ids.at(-1) ?? 0, store.lastId)
    return graph
  }

  /** The graph has seen all rows up to this id. */
  get through(): number {
    return this.#through
  }

  get isWorn(): boolean {
    return this.#marked > this.#labels * MAX_MARKED
  }

  /** Labels of those found nearest to `query`, at most `k`; `breadth` (hnswlib's ef) is how many are kept in view, at least. */
  search(query: ArrayLike<number>, k: number, breadth: number): number[] {
    this.#index.setEf(Math.max(breadth, 2 * k))
    return this.#index.searchKnn(Array.from(query), Math.min(k, this.#labels)).neighbors
  }

  /** Takes in the next row, if it was not removed: some 0.5 ms among 100,000. */
  add(store: VectorStore, row: number): void {
    const id = store.id(row)
    if (store.image(row) !== 0) {
      // Kept tight: some 50 bytes of locks are used for each label that there is room for.
      if (this.#labels === this.#index.getMaxElements()) this.#index.resizeIndex(capacityFor(Math.max(store.count, this.#labels)))
      this.#index.addPoint(decode(store.code(row)), id)
      this.#labels++
    }
    this.#through = id
  }

  /** What the store has removed just now is marked by {@link markRemoved}. */
  remove(ids: readonly number[]): void {
    // Later ids were never added, and will not be.
    for (const id of ids) if (id <= this.#through) this.#removed.push(id)
  }

  markRemoved(): void {
    for (const id of this.#removed) this.#index.markDelete(id)
    this.#marked += this.#removed.length
    this.#removed = []
  }

  /** Writes on a thread of libuv's: searching goes on, nothing may be changed meanwhile. */
  async write(file: string): Promise<void> {
    await this.#index.writeIndex(file)
  }

  /** Gives the memory back at once: the collector does not know how much it is. */
  free(): void {
    this.#labels = 0
    this.#index.initIndex(1)
  }
}

/** Ids of the snapshot that the store does not hold; undefined when the store holds up to there what the snapshot does not. */
function differences(store: VectorStore, { ids, checksums }: SnapshotRows): number[] | undefined {
  const gone: number[] = []
  let row = 0
  for (const [at, id] of ids.entries()) {
    while (row < store.count && store.image(row) === 0) row++
    if (row === store.count || store.id(row) > id) gone.push(id)
    else if (store.id(row) !== id || store.checksum(row) !== checksums[at]) return undefined
    else row++
  }
  return gone
}

/** The addon is loaded when it is first needed: a small library needs none. */
async function createIndex(dimension: number): Promise<HierarchicalNSW> {
  const { default: hnswlib } = await import('hnswlib-node')
  return new hnswlib.HierarchicalNSW('ip', dimension)
}

function capacityFor(count: number): number {
  return Math.ceil(count * 1.1) + 1000
}
