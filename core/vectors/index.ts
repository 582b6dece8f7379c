/**
 * The vectors of the serving encoder: kept in the catalog, held and searched in a thread of their own
 * (./collection.ts), by an exact scan or, when there are many, through a graph.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LucidexError, type LibraryStatus } from '../contract/index.ts'
import { fromBytes, toBytes, type VectorQueries } from '../db/index.ts'
import type { Log } from '../deps.ts'
import type { CollectionState, VectorRows } from './messages.ts'
import { snapshotBytes } from './snapshot.ts'
import { VectorThread } from './thread.ts'

export { LEAST_RECALL } from './messages.ts'

/** With more vectors than this a graph answers faster than a scan (`lucidex bench index`). */
export const GRAPH_FROM = 20_000
/** Rows read from the catalog before the event loop gets a turn: some 2 ms. */
const PAGE = 500
/** A thread that is lost this often is not started again. */
const LOSSES_MAX = 3

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

/** A vector with its bytes in the catalog. */
interface StoredVector {
  id: number
  image: number
  data: Uint8Array
}

const NOTHING: CollectionState = { received: 0, removed: 0, behind: 0, kind: 'exact', recall: null }

export class VectorIndex {
  readonly encoder: string
  readonly #options: VectorIndexOptions
  readonly #graphFrom: number
  #encoderId: number | undefined
  /** Started with the first vector. */
  #thread: VectorThread | undefined
  #losses = 0
  /** The largest id that the thread was given, and how many vectors it was. */
  #generation = 0
  #given = 0
  #state = NOTHING
  #isFilled = false
  /** Readings of the catalog, one after the other, and how many are still to be done. */
  #reading: Promise<void> = Promise.resolve()
  #readings = 0
  #isClosed = false

  private constructor(options: VectorIndexOptions) {
    this.#options = options
    this.encoder = options.encoder
    this.#graphFrom = options.graphFrom ?? GRAPH_FROM
    this.#encoderId = options.queries.encoder(options.encoder)
  }

  /** Reads the encoder's vectors; the graph follows by itself while exact scans answer. */
  static async open(options: VectorIndexOptions): Promise<VectorIndex> {
    const index = new VectorIndex(options)
    await index.#read()
    return index
  }

  get dimension(): number {
    return this.#options.dimension
  }

  get count(): number {
    return this.#given - this.#state.removed
  }

  status(): LibraryStatus['index'] {
    const { received, behind, kind, recall } = this.#state
    const upToDate = this.count <= this.#graphFrom || (received === this.#given && behind === 0)
    return { kind, generation: this.#generation, upToDate, recall }
  }

  /** Bytes of the snapshot on disk. */
  bytes(): number {
    return snapshotBytes(this.#options.dir)
  }

  has(image: number): boolean {
    const encoder = this.#storedEncoder()
    return encoder !== undefined && this.#options.queries.has(image, encoder)
  }

  vectorOf(image: number): Float32Array | undefined {
    const encoder = this.#storedEncoder()
    const data = encoder === undefined ? undefined : this.#options.queries.ofImage(image, encoder)
    return data?.byteLength === this.#options.dimension * 4 ? fromBytes(data) : undefined
  }

  /** The encoder's row in the catalog, made when it has none yet. Call within the transaction that adds its vectors. */
  encoderId(): number {
    // Not remembered: the transaction may yet be undone.
    return this.#options.queries.encoder(this.encoder) ?? this.#options.queries.addEncoder(this.encoder, this.#options.dimension)
  }

  /** Takes in what was stored in the catalog, once its transaction is committed. */
  added(vectors: readonly { id: number; image: number; vector: Float32Array }[]): void {
    // While vectors are being read from the catalog, these are read with them.
    if (this.#readings > 0 || !this.#thread) {
      this.#read().catch((thrown: unknown) => this.#options.log.warn(`The new pictures are not searched yet: ${(thrown as Error).message}`))
      return
    }
    this.#give(vectors.map(({ id, image, vector }) => ({ id, image, data: toBytes(vector) })))
  }

  /** Takes out the vectors of images that were deleted from the catalog, once its transaction is committed. */
  removed(images: readonly number[]): void {
    this.#thread?.remove([...images])
  }

  /**
   * The `k` images nearest to `query` (a unit vector), among all or among `images` (their ids). In a small
   * library and among `images` every vector is compared. Errors: INTERNAL, when the thread stopped.
   */
  async search(query: Float32Array, k: number, images?: Uint32Array): Promise<VectorAnswer> {
    if (this.#options.readOnly || !this.#thread || this.#readings > 0) await this.#read()
    if (!this.#thread) return { matches: [], method: 'exact', searched: 0 }
    const answer = await this.#thread.search({ query, k, ...(images && { images }) })
    const matches = Array.from(answer.images, (image, at) => ({ image, score: answer.scores[at]! }))
    return { matches, method: answer.method, searched: answer.searched }
  }

  /** Resolves when the graph holds every vector and is checked (or there are too few for one). */
  async settled(): Promise<void> {
    await this.#reading
    await this.#thread?.settled()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#reading
    const thread = this.#thread
    this.#thread = undefined
    await thread?.close()
  }

  /** Gives the thread what the catalog holds and it does not. */
  #read(): Promise<void> {
    this.#readings++
    const reading = this.#reading.then(() => this.#readNew()).finally(() => this.#readings--)
    this.#reading = reading.catch(() => undefined)
    return reading
  }

  async #readNew(): Promise<void> {
    const encoder = this.#storedEncoder()
    if (encoder === undefined) return
    for (let rows = PAGE; rows === PAGE && !this.#isClosed;) {
      const page = this.#options.queries.after(encoder, this.#generation, PAGE)
      rows = page.length
      this.#give(page)
      if (rows === PAGE) await nextTurn()
    }
    if (!this.#thread || this.#isFilled) return
    this.#isFilled = true
    this.#thread.filled()
  }

  #give(rows: readonly StoredVector[]): void {
    if (rows.length === 0) return
    this.#thread ??= this.#start()
    this.#thread.add(packed(rows, this.#options.dimension))
    this.#generation = rows.at(-1)!.id
    this.#given += rows.length
  }

  #start(): VectorThread {
    if (this.#losses >= LOSSES_MAX) {
      throw new LucidexError('INTERNAL', `The vector index stopped ${this.#losses} times: restart the application`)
    }
    const { dir, encoder, dimension, readOnly, log } = this.#options
    return new VectorThread(
      { dir, encoder, dimension, readOnly, graphFrom: this.#graphFrom },
      {
        log,
        changed: (state) => (this.#state = state),
        // The next search starts another, which is given everything anew.
        lost: () => {
          this.#losses++
          this.#thread = undefined
          this.#isFilled = false
          this.#generation = 0
          this.#given = 0
          this.#state = NOTHING
        },
      },
    )
  }

  #storedEncoder(): number | undefined {
    this.#encoderId ??= this.#options.queries.encoder(this.encoder)
    return this.#encoderId
  }
}

/** Vectors whose length is not the encoder's are passed as zeros: they are like nothing. */
function packed(rows: readonly StoredVector[], dimension: number): VectorRows {
  const vectors = new Uint8Array(rows.length * dimension * 4)
  for (const [at, { data }] of rows.entries()) if (data.byteLength === dimension * 4) vectors.set(data, at * dimension * 4)
  return { ids: Uint32Array.from(rows, ({ id }) => id), images: Uint32Array.from(rows, ({ image }) => image), vectors }
}
