/**
 * The vectors of the serving encoder: kept in the catalog, held in memory, searched by an exact scan or,
 * when there are many, through a graph.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LibraryStatus } from '../contract/index.ts'
import type { VectorQueries } from '../db/index.ts'
import type { Log } from '../deps.ts'
import { scanExact } from './exact.ts'
import { Graph } from './graph.ts'
import { snapshotBytes } from './snapshot.ts'
import { VectorStore } from './store.ts'
import { TopK } from './topK.ts'

/** With more vectors than this a graph answers faster than a scan. */
export const GRAPH_FROM = 5000
/** A graph that is behind is used as long as no more than this share of the vectors must be scanned besides. */
const MAX_TAIL = 0.3
/** Rows read from the catalog before the event loop gets a turn. */
const PAGE = 2000
/** A snapshot is written when so long nothing was added, in milliseconds; and on closing. */
const SAVE_AFTER_MS = 20_000

export interface VectorMatch {
  image: number
  /** Cosine: the inner product of two unit vectors. */
  score: number
}

export interface VectorAnswer {
  /** Best first; of equal scores the earlier image first. */
  matches: VectorMatch[]
  method: 'exact' | 'hnsw'
  searched: number
}

export interface VectorIndexOptions {
  dir: string
  queries: VectorQueries
  /** The model hash of the encoder: vectors of another one are never touched. */
  encoder: string
  dimension: number
  readOnly: boolean
  log: Log
  /** For tests: how many vectors it takes to use the graph. */
  graphFrom?: number
}

export class VectorIndex {
  readonly encoder: string
  readonly #options: VectorIndexOptions
  readonly #store: VectorStore
  readonly #graphFrom: number
  readonly #stop = new AbortController()
  #encoderId: number | undefined
  #graph: Graph | undefined
  /** The generation that the snapshot on disk covers. */
  #saved = 0
  #upkeep: Promise<void> | undefined
  #saveTimer: NodeJS.Timeout | undefined

  private constructor(options: VectorIndexOptions) {
    this.#options = options
    this.encoder = options.encoder
    this.#store = new VectorStore(options.dimension)
    this.#graphFrom = options.graphFrom ?? GRAPH_FROM
    this.#encoderId = options.queries.encoder(options.encoder)
  }

  /** Reads the encoder's vectors into memory; the graph follows by itself while exact scans answer. */
  static async open(options: VectorIndexOptions): Promise<VectorIndex> {
    const index = new VectorIndex(options)
    await index.#readNew()
    index.#keepUp()
    return index
  }

  get count(): number {
    return this.#store.count
  }

  status(): LibraryStatus['index'] {
    const many = this.#store.count > this.#graphFrom
    const upToDate = !many || this.#graph?.covered === this.#store.count
    return { kind: this.#usableGraph() ? 'hnsw' : 'exact', generation: this.#store.generation, upToDate }
  }

  /** Bytes of the snapshot on disk. */
  bytes(): number {
    return snapshotBytes(this.#options.dir)
  }

  has(image: number): boolean {
    return this.#store.rowOf(image) !== undefined
  }

  vectorOf(image: number): Float32Array | undefined {
    const row = this.#store.rowOf(image)
    return row === undefined ? undefined : this.#store.vector(row)
  }

  /** The encoder's row in the catalog, made when it has none yet. Call within the transaction that adds its vectors. */
  encoderId(): number {
    // Not remembered: the transaction may yet be undone.
    return this.#options.queries.encoder(this.encoder) ?? this.#options.queries.addEncoder(this.encoder, this.#options.dimension)
  }

  /** Takes in what was stored in the catalog, once its transaction is committed. */
  added(vectors: readonly { id: number; image: number; vector: Float32Array }[]): void {
    for (const { id, image, vector } of vectors) this.#store.add(id, image, vector)
    this.#keepUp()
  }

  /**
   * The `k` images nearest to `query` (a unit vector) among those that `accepts` takes. With `accepts`, and
   * in a small library, every vector is scanned.
   */
  async search(query: Float32Array, k: number, accepts?: (image: number) => boolean): Promise<VectorAnswer> {
    if (this.#options.readOnly) await this.#readNew()
    const best = new TopK(k)
    const store = this.#store
    const graph = accepts ? undefined : this.#usableGraph()
    graph?.search(query, k, best)
    // What the graph does not hold yet is scanned: nothing is ever left out.
    await scanExact(store, query, best, { from: graph?.covered ?? 0, accepts: accepts && ((row) => accepts(store.image(row))) })
    return {
      matches: best.sorted().map(({ row, score }) => ({ image: store.image(row), score })),
      method: graph ? 'hnsw' : 'exact',
      searched: store.count,
    }
  }

  /** Resolves when the graph holds every vector (or there are too few for one). */
  async settled(): Promise<void> {
    while (this.#upkeep) await this.#upkeep
  }

  async close(): Promise<void> {
    clearTimeout(this.#saveTimer)
    this.#stop.abort()
    await this.#upkeep
    await this.#save()
  }

  #usableGraph(): Graph | undefined {
    const { count } = this.#store
    if (!this.#graph || count <= this.#graphFrom) return undefined
    return count - this.#graph.covered <= count * MAX_TAIL ? this.#graph : undefined
  }

  async #readNew(): Promise<void> {
    const { queries, dimension } = this.#options
    this.#encoderId ??= queries.encoder(this.encoder)
    if (this.#encoderId === undefined) return
    for (;;) {
      const rows = queries.after(this.#encoderId, this.#store.generation, PAGE)
      for (const { id, image, data } of rows) this.#store.add(id, image, fromBytes(data, dimension))
      if (rows.length < PAGE) return
      await nextTurn()
    }
  }

  #keepUp(): void {
    if (this.#upkeep || this.#store.count <= this.#graphFrom || this.#graph?.covered === this.#store.count || this.#stop.signal.aborted)
      return
    this.#upkeep = this.#bringUp()
      .catch((thrown: unknown) => {
        this.#options.log.warn(`The vector index cannot be kept: ${(thrown as Error).message}; searches scan every vector`)
        this.#graph = undefined
        this.#stop.abort()
      })
      .finally(() => {
        this.#upkeep = undefined
        this.#keepUp()
      })
  }

  async #bringUp(): Promise<void> {
    const { dir, log } = this.#options
    // Whoever stored the vectors goes on first.
    await nextTurn()
    if (!this.#graph) {
      const loaded = await Graph.load(this.#store, dir, this.encoder, log)
      this.#graph = loaded.isWorn ? await Graph.empty(this.#store) : loaded
      this.#saved = this.#graph.covered
    }
    await this.#graph.catchUp(this.#stop.signal)
    clearTimeout(this.#saveTimer)
    this.#saveTimer = setTimeout(() => this.#saveSoon(), SAVE_AFTER_MS)
    this.#saveTimer.unref()
  }

  #saveSoon(): void {
    // Nothing may be added while the graph is being written: later vectors wait for it.
    if (this.#upkeep) return
    this.#upkeep = this.#save().finally(() => {
      this.#upkeep = undefined
      this.#keepUp()
    })
  }

  async #save(): Promise<void> {
    const graph = this.#graph
    if (!graph || this.#options.readOnly || graph.covered === this.#saved) return
    try {
      await graph.save(this.#options.dir, this.encoder)
      this.#saved = graph.covered
    } catch (thrown) {
      this.#options.log.warn(`The vector index could not be saved: ${(thrown as Error).message}`)
    }
  }
}

function fromBytes(bytes: Buffer, dimension: number): Float32Array {
  const vector = new Float32Array(dimension)
  for (let i = 0; i < dimension; i++) vector[i] = bytes.readFloatLE(i * 4)
  return vector
}
