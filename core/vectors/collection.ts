import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LibraryStatus } from '../contract/index.ts'
import { scanExact, scoreIds } from './exact.ts'
import { Graph } from './graph.ts'
import { ImageSet } from './imageSet.ts'
import {
  LEAST_RECALL,
  type CollectionOptions,
  type CollectionState,
  type SearchAnswer,
  type SearchRequest,
  type VectorRows,
} from './messages.ts'
import { checkRecall } from './selfCheck.ts'
import { readSnapshot, sweepSnapshots, writeSnapshot, type SnapshotRows } from './snapshot.ts'
import { encodeQuery, UNIT, VectorStore } from './store.ts'
import { TopK } from './topK.ts'

/** A graph that is behind is used as long as no more than this share of the vectors must be scanned besides. */
const MAX_TAIL = 0.3
/** For more results than this a scan is as fast as a graph. */
const MAX_K = 500
/** How broadly the graph is searched (hnswlib's ef): twice that where a check finds it needs it, up to the most. */
const BREADTH = { least: 128, most: 512 }
/** With less recall than this, even searched broadly, a graph is not asked: every vector is scanned, which is never wrong. */
const GOOD_RECALL = 0.98
/** The graph is checked again when so large a share of its vectors is new. */
const CHECK_AFTER = 0.1
/** A snapshot is written when nothing changed for so long, in milliseconds. */
const SAVE_AFTER_MS = 20_000
/** On closing one is written when so large a share has changed: adding the rest again is quicker than writing everything. */
const WORTH_SAVING = 0.005
/** Progress is told this often, in milliseconds. */
const TELL_MS = 250

interface Host {
  log: (level: 'info' | 'warn', message: string) => void
  changed: (state: CollectionState) => void
}

/**
 * The vectors of one encoder and the graph over them, in a thread of their own. Searches come first: a scan
 * gives the thread a turn after every slice, and everything else waits while one goes on and takes a turn after
 * every single vector. The graph is only ever a copy: what it lacks is scanned, and it is asked only once it is checked.
 */
export class Collection {
  readonly #options: CollectionOptions
  readonly #host: Host
  readonly #store: VectorStore
  readonly #stop = new AbortController()
  /** Read while the vectors come in. */
  #snapshot: ReturnType<typeof readSnapshot> | undefined
  #graph: Graph | undefined
  /** Built beside the graph that it will replace. */
  #next: Graph | undefined
  #breadth = BREADTH.least
  /** Whether a check found the graph good enough to be asked. */
  #isTrusted = false
  /** Whether the graph was built because of what a check found: it is not done twice in a row. */
  #isRepaired = false
  #recall: LibraryStatus['index']['recall'] = null
  /** The largest id that the graph had seen when it was checked. */
  #checkedThrough = 0
  #changes = { received: 0, removed: 0, sinceSaved: 0 }
  #isFilled = false
  #broken = false
  /** Scans that go on. */
  #scans = 0
  #upkeep: Promise<void> | undefined
  #saveTimer: NodeJS.Timeout | undefined
  #isSaveDue = false
  #toldAt = 0

  constructor(options: CollectionOptions, host: Host) {
    this.#options = options
    this.#host = host
    this.#store = new VectorStore(options.dimension)
    this.#snapshot = this.#readSnapshot()
  }

  add({ ids, images, vectors }: VectorRows): void {
    const { dimension } = this.#options
    const view = new DataView(vectors.buffer, vectors.byteOffset, vectors.byteLength)
    const vector = new Float32Array(dimension)
    for (let at = 0; at < ids.length; at++) {
      for (let i = 0; i < dimension; i++) vector[i] = view.getFloat32((at * dimension + i) * 4, true)
      this.#store.append(ids[at]!, images[at]!, vector)
    }
    this.#changes.received += ids.length
    this.#changed(ids.length)
  }

  remove(images: readonly number[]): void {
    const ids = this.#store.remove(new Set(images))
    this.#graph?.remove(ids)
    this.#next?.remove(ids)
    this.#changes.removed += ids.length
    this.#changed(ids.length)
  }

  filled(): void {
    this.#isFilled = true
    this.#keepUp()
  }

  async search({ query, k, images }: SearchRequest): Promise<SearchAnswer> {
    const store = this.#store
    const codes = encodeQuery(query)
    const best = new TopK(k)
    const graph = images === undefined && k <= MAX_K ? this.#usableGraph() : undefined
    let from = 0
    if (graph) {
      const found = graph.search(query, k, this.#breadth)
      scoreIds(store, codes, best, found)
      // Too many of them removed, or cut off from the rest: nothing may be left out.
      if (best.count === k) from = store.rowsUpTo(graph.through)
    }
    const scanned = from === 0 ? new TopK(k) : best
    this.#scans++
    try {
      await scanExact(store, codes, scanned, { from, images: images && new ImageSet(images) })
      // Without a turn in between, in which rows may be closed up. Some may have been removed during the scan.
      const matches = scanned.sorted().filter(({ row }) => store.image(row) !== 0)
      return {
        images: Uint32Array.from(matches, ({ row }) => store.image(row)),
        // Rounding may take a vector's length a little over 1.
        scores: Float64Array.from(matches, ({ score }) => Math.min(1, score / UNIT)),
        method: from > 0 ? 'hnsw' : 'exact',
        searched: store.size,
      }
    } finally {
      this.#scans--
    }
  }

  async settled(): Promise<void> {
    while (this.#upkeep) await this.#upkeep
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#saveTimer)
    await this.#upkeep
    await this.#snapshot
    if (this.#graph && this.#changes.sinceSaved > this.#store.size * WORTH_SAVING) await this.#save(this.#graph)
  }

  // ---------------------------------------------------------------- Upkeep

  /** After every change, and when there is something to do: all that is not searching happens in one flow. */
  #keepUp(): void {
    if (this.#upkeep || !this.#isFilled || this.#stop.signal.aborted || this.#broken) return
    this.#upkeep = this.#work()
      .catch((thrown: unknown) => {
        this.#host.log('warn', `The vector index cannot be kept: ${(thrown as Error).message}; searches scan every vector`)
        this.#broken = true
        this.#drop()
      })
      .finally(() => {
        this.#upkeep = undefined
        this.#tell()
      })
  }

  async #work(): Promise<void> {
    await this.#giveWay()
    while (!this.#stop.signal.aborted && (await this.#step())) await this.#giveWay()
  }

  /** Does one thing that is due; false when nothing is. */
  async #step(): Promise<boolean> {
    const { readOnly, graphFrom } = this.#options
    const store = this.#store
    if (store.isWorn) {
      // No scan goes on, and this takes no turn: nobody sees rows move.
      store.compact()
      return true
    }
    if (store.size <= graphFrom) {
      this.#drop()
      return false
    }
    if (!this.#graph) {
      this.#graph = await this.#load()
      return this.#graph !== undefined
    }
    this.#graph.markRemoved()
    this.#next?.markRemoved()
    if (!readOnly && (await this.#grow(this.#graph))) return true
    if (this.#isCheckDue(this.#graph)) {
      await this.#check(this.#graph)
      return true
    }
    if (this.#isSaveDue) {
      await this.#save(this.#graph)
      return true
    }
    if (this.#changes.sinceSaved > 0 && !readOnly) this.#saveLater()
    return false
  }

  /** One more vector into the graph, or into the one that will replace it; false when nothing is missing. */
  async #grow(graph: Graph): Promise<boolean> {
    const store = this.#store
    if (graph.isWorn) this.#next ??= await Graph.empty(store)
    const growing = this.#next ?? graph
    const row = store.rowsUpTo(growing.through)
    if (row < store.count) {
      growing.add(store, row)
      if (performance.now() > this.#toldAt + TELL_MS) this.#tell()
      return true
    }
    if (!this.#next) return false
    this.#replace(graph, this.#next)
    return true
  }

  /** Searches first. */
  async #giveWay(): Promise<void> {
    do await nextTurn()
    while (this.#scans > 0 && !this.#stop.signal.aborted)
  }

  async #readSnapshot(): ReturnType<typeof readSnapshot> {
    const { dir, readOnly } = this.#options
    if (!readOnly) await sweepSnapshots(dir).catch((thrown: unknown) => this.#host.log('warn', (thrown as Error).message))
    return readSnapshot(dir, this.#options)
  }

  /** The snapshot's graph when it agrees with the store, else an empty one; undefined where none may be built. */
  async #load(): Promise<Graph | undefined> {
    const { readOnly } = this.#options
    const store = this.#store
    const snapshot = await (this.#snapshot ?? this.#readSnapshot())
    this.#snapshot = undefined
    let reason: string
    if ('reason' in snapshot) reason = snapshot.reason
    else {
      try {
        const graph = await Graph.read(snapshot.graph, store, snapshot.rows)
        if (graph) {
          this.#changes.sinceSaved = store.count - store.rowsUpTo(graph.through)
          return graph
        }
        reason = 'its vectors are not those of this library'
      } catch (thrown) {
        reason = `its graph cannot be read (${(thrown as Error).message})`
      }
    }
    if (readOnly) return undefined
    this.#host.log(
      'info',
      `The vector index is built anew: ${reason === 'there is none' ? 'there is no snapshot yet' : `of the snapshot, ${reason}`}`,
    )
    return Graph.empty(store)
  }

  #replace(graph: Graph, next: Graph): void {
    graph.free()
    this.#graph = next
    this.#next = undefined
    this.#checkedThrough = 0
    this.#isTrusted = false
    this.#changes.sinceSaved = this.#store.size
  }

  #drop(): void {
    this.#graph?.free()
    this.#next?.free()
    this.#graph = undefined
    this.#next = undefined
    this.#isTrusted = false
    this.#recall = null
    this.#checkedThrough = 0
  }

  // ---------------------------------------------------------------- Check

  #isCheckDue({ through }: Graph): boolean {
    const fresh = this.#store.rowsUpTo(through) - this.#store.rowsUpTo(this.#checkedThrough)
    return fresh > this.#store.count * CHECK_AFTER
  }

  async #check(graph: Graph): Promise<void> {
    const { through } = graph
    const check = () => checkRecall(this.#store, graph, this.#breadth, { giveWay: () => this.#giveWay(), signal: this.#stop.signal })
    let found = await check()
    while (found && found.at10 < GOOD_RECALL && this.#breadth < BREADTH.most && !this.#stop.signal.aborted) {
      this.#breadth *= 2
      found = await check()
    }
    this.#checkedThrough = through
    if (!found) return
    this.#recall = { ...found, checkedAt: Date.now() }
    this.#isTrusted = found.at10 >= GOOD_RECALL
    if (this.#isTrusted) this.#isRepaired = false
    else await this.#doubt(found.at10)
    this.#tell()
  }

  async #doubt(recall: number): Promise<void> {
    const found = `The vector index finds ${(recall * 100).toFixed(1)} % of what it should`
    if (recall >= LEAST_RECALL || this.#isRepaired || this.#options.readOnly) {
      this.#host.log('warn', `${found}: searches scan every vector`)
      return
    }
    this.#host.log('warn', `${found}: it is built anew, and searches scan every vector meanwhile`)
    this.#isRepaired = true
    this.#breadth = BREADTH.least
    this.#next = await Graph.empty(this.#store)
  }

  // ---------------------------------------------------------------- Saving

  #saveLater(): void {
    clearTimeout(this.#saveTimer)
    this.#saveTimer = setTimeout(() => {
      this.#isSaveDue = true
      this.#keepUp()
    }, SAVE_AFTER_MS)
    this.#saveTimer.unref()
  }

  async #save(graph: Graph): Promise<void> {
    const { dir, encoder, dimension, readOnly } = this.#options
    this.#isSaveDue = false
    if (readOnly) return
    graph.markRemoved()
    const changes = this.#changes.sinceSaved
    try {
      const rows = rowsOf(this.#store, graph.through)
      await writeSnapshot(dir, { encoder, dimension, rows }, (file) => graph.write(file))
      this.#changes.sinceSaved -= changes
    } catch (thrown) {
      this.#host.log('warn', `The vector index could not be saved: ${(thrown as Error).message}`)
    }
  }

  // ---------------------------------------------------------------- State

  #changed(vectors: number): void {
    this.#changes.sinceSaved += vectors
    this.#keepUp()
    if (this.#isFilled) this.#tell()
  }

  #usableGraph(): Graph | undefined {
    const graph = this.#isTrusted ? this.#graph : undefined
    const { count } = this.#store
    return graph && count - this.#store.rowsUpTo(graph.through) <= count * MAX_TAIL ? graph : undefined
  }

  #tell(): void {
    const store = this.#store
    const growing = this.#next ?? this.#graph
    const many = store.size > this.#options.graphFrom && !this.#broken
    this.#toldAt = performance.now()
    this.#host.changed({
      received: this.#changes.received,
      removed: this.#changes.removed,
      behind: many ? store.count - store.rowsUpTo(growing?.through ?? 0) : 0,
      kind: this.#usableGraph() ? 'hnsw' : 'exact',
      recall: this.#recall,
    })
  }
}

function rowsOf(store: VectorStore, through: number): SnapshotRows {
  const rows = Array.from({ length: store.rowsUpTo(through) }, (_, row) => row).filter((row) => store.image(row) !== 0)
  return { ids: Uint32Array.from(rows, (row) => store.id(row)), checksums: Uint32Array.from(rows, (row) => store.checksum(row)) }
}
