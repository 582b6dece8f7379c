import { cp, readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, vectorQueries, type LibraryDatabase } from '../../../core/db/index.ts'
import { createRandom, type Random } from '../../../core/random.ts'
import { Graph } from '../../../core/vectors/graph.ts'
import { VectorIndex } from '../../../core/vectors/index.ts'
import { writeSnapshot } from '../../../core/vectors/snapshot.ts'
import { VectorStore } from '../../../core/vectors/store.ts'
import { silent, unit } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const DIMENSION = 128

let dir: string
let database: LibraryDatabase

beforeEach(async () => {
  dir = path.join(await temporaryFolder(), 'library')
  database = openDatabase(dir, { readOnly: false, log: silent })
  return () => database.close()
})

/** What the index says to its log goes to `notes`. */
function open({ encoder = 'first', graphFrom = 200, readOnly = false, notes = [] as string[] } = {}) {
  const note = (message: string) => void notes.push(message)
  const log = { info: note, warn: note, error: note }
  return VectorIndex.open({ dir, queries: vectorQueries(database.db), encoder, dimension: DIMENSION, readOnly, log, graphFrom })
}

/** Unit vectors in clusters, as descriptors of pictures lie. */
function clustered(random: Random, count: number, clusters: number): Float32Array[] {
  const centres = Array.from({ length: clusters }, () => unit(normals(random)))
  return Array.from({ length: count }, (_, i) => near(random, centres[i % clusters]!, 0.6))
}
const normals = (random: Random) => Float32Array.from({ length: DIMENSION }, () => random.normal())
function near(random: Random, centre: Float32Array, spread: number): Float32Array {
  const noise = unit(normals(random))
  return unit(centre.map((value, i) => value + spread * noise[i]!))
}

let nextImage = 0
beforeEach(() => {
  nextImage = 0
})

/** Stores vectors as an index job does: each with an image of its own. */
function store(index: VectorIndex, vectors: Float32Array[]): number[] {
  const { db } = database
  const image = db.prepare(
    `INSERT INTO image (content_hash, pixel_hash, bytes, width, height, format, bit_depth, has_alpha, perceptual_hash, added_at) VALUES (?, '', 1, 1, 1, 'png', 8, 0, 0, 0)`,
  )
  const queries = vectorQueries(db)
  const added = db.transaction(() =>
    vectors.map((vector) => {
      const id = Number(image.run(`hash-${nextImage++}`).lastInsertRowid)
      if (!queries.has(id, index.encoderId())) return { id: queries.insert(id, index.encoderId(), vector), image: id, vector }
      throw new Error('unreachable: the image is new')
    }),
  )()
  index.added(added)
  return added.map(({ image }) => image)
}

async function answers(index: VectorIndex, queries: Float32Array[], k = 10): Promise<number[][]> {
  const found = await Promise.all(queries.map((query) => index.search(query, k)))
  return found.map(({ matches }) => matches.map(({ image }) => image))
}

/** Every image that there is. */
const everything = () => Uint32Array.from({ length: nextImage }, (_, at) => at + 1)

/** The share of the ten nearest by exact scan that the index finds, by its own way. */
async function recall(index: VectorIndex, queries: Float32Array[]): Promise<number> {
  const found = await answers(index, queries)
  const exact = await Promise.all(queries.map((query) => index.search(query, 10, everything())))
  expect(exact.every(({ method }) => method === 'exact')).toBe(true)
  const hits = exact.flatMap(({ matches }, at) => matches.filter(({ image }) => found[at]!.includes(image))).length
  return hits / (queries.length * 10)
}

/** Deletes images as `purge` does, and their vectors with them. */
function remove(images: readonly number[]): void {
  const statement = database.db.prepare('DELETE FROM image WHERE id = ?')
  for (const image of images) statement.run(image)
}

function similar(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

describe('a graph', () => {
  it('agrees with the exact scan: recall@10 of at least 0.98 on clustered vectors', async () => {
    const random = createRandom(11)
    const vectors = clustered(random, 4000, 40)
    const index = await open()
    store(index, vectors)
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    const queries = vectors.slice(0, 100).map((vector) => near(random, vector, 0.3))
    expect((await index.search(queries[0]!, 10)).method).toBe('hnsw')
    expect(await recall(index, queries)).toBeGreaterThanOrEqual(0.98)
    await index.close()
  })

  it('is not used by a small library', async () => {
    const index = await open({ graphFrom: 500 })
    store(index, clustered(createRandom(1), 300, 5))
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'exact', upToDate: true, recall: null })
    await index.close()
    expect((await readdir(dir)).filter((name) => name.startsWith('vectors'))).toEqual([])
  })

  it('leaves nothing out while it is behind', async () => {
    const random = createRandom(12)
    const index = await open()
    store(index, clustered(random, 1000, 10))
    await index.settled()
    const late = clustered(random, 50, 50)
    const images = store(index, late)
    // The search is asked before the thread had a turn to add them all.
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: false })
    const { matches, method } = await index.search(late[49]!, 1)
    expect({ method, image: matches[0]!.image }).toEqual({ method: 'hnsw', image: images[49] })
    await index.close()
  })

  it('scores as the vectors themselves do', async () => {
    const random = createRandom(17)
    const vectors = clustered(random, 600, 6)
    const index = await open()
    const images = store(index, vectors)
    await index.settled()
    const { matches } = await index.search(vectors[3]!, 20)
    for (const { image, score } of matches) expect(score).toBeCloseTo(similar(vectors[images.indexOf(image)]!, vectors[3]!), 4)
    expect(matches[0]).toMatchObject({ image: images[3] })
    await index.close()
  })
})

it('finds among some images what a scan of just those finds, be they all or one', async () => {
  const random = createRandom(18)
  const vectors = clustered(random, 3000, 30)
  const index = await open()
  const images = store(index, vectors)
  await index.settled()
  const query = near(random, vectors[1]!, 0.3)
  const scores = vectors.map((vector) => similar(vector, query))
  for (const every of [1, 2, 10, 100, 1000, 3000]) {
    const wanted = images.filter((_, at) => at % every === 0)
    const { matches } = await index.search(query, 10, Uint32Array.from(wanted))
    const expected = wanted.map((image) => scores[image - 1]!).sort((a, b) => b - a)
    expect(matches.map(({ image }) => scores[image - 1]!.toFixed(4))).toEqual(expected.slice(0, 10).map((score) => score.toFixed(4)))
    expect(matches.every(({ image }) => (image - 1) % every === 0)).toBe(true)
  }
  await index.close()
})

describe('what was deleted', () => {
  it('is not found from then on, and leaves the graph when it is a fifth of it', async () => {
    const random = createRandom(19)
    const vectors = clustered(random, 1500, 15)
    const index = await open()
    const images = store(index, vectors)
    await index.settled()
    const queries = vectors.slice(0, 40).map((vector) => near(random, vector, 0.3))
    const [first] = await index.search(queries[0]!, 1).then(({ matches }) => matches)
    remove([first!.image])
    index.removed([first!.image])
    const { matches } = await index.search(queries[0]!, 1500)
    expect(matches).toHaveLength(1499)
    expect(matches.map(({ image }) => image)).not.toContain(first!.image)

    const others = images.filter((image) => image % 2 === 0 && image !== first!.image)
    remove(others)
    index.removed(others)
    await index.settled()
    expect(index.count).toBe(1500 - others.length - 1)
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    const found = (await answers(index, queries)).flat()
    expect(found.filter((image) => others.includes(image) || image === first!.image)).toEqual([])
    expect(await recall(index, queries)).toBeGreaterThanOrEqual(0.98)
    await index.close()
    // The graph on disk has no more labels than there are vectors: hnswlib writes their number behind two others.
    const graph = (await readdir(dir)).find((name) => name.endsWith('.hnsw'))!
    expect(Number((await readFile(path.join(dir, graph))).readBigUInt64LE(16))).toBe(index.count)
  })

  it('goes down to a small library without a graph', async () => {
    const index = await open()
    const vectors = clustered(createRandom(20), 400, 4)
    const images = store(index, vectors)
    await index.settled()
    remove(images.slice(0, 300))
    index.removed(images.slice(0, 300))
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'exact', upToDate: true, recall: null })
    expect((await index.search(vectors[350]!, 1)).matches[0]!.image).toBe(images[350])
    await index.close()
  })
})

describe('its snapshot', () => {
  let whole: string
  let queries: Float32Array[]
  let expected: number[][]

  /** Made once; each test works on a copy. */
  beforeAll(async () => {
    dir = path.join(await temporaryFolder(), 'library')
    database = openDatabase(dir, { readOnly: false, log: silent })
    nextImage = 0
    const random = createRandom(13)
    const vectors = clustered(random, 800, 20)
    queries = vectors.slice(0, 20).map((vector) => near(random, vector, 0.3))
    const index = await open()
    store(index, vectors)
    await index.settled()
    expected = await answers(index, queries)
    await index.close()
    database.close()
    whole = dir
  })

  beforeEach(async () => {
    database.close()
    await cp(whole, dir, { recursive: true })
    database = openDatabase(dir, { readOnly: false, log: silent })
    nextImage = 800
  })

  const graphFile = async () =>
    path.join(
      dir,
      (await readdir(dir)).find((name) => name.endsWith('.hnsw'))!,
    )

  /** Opens, and tells what was said: whether the graph was built anew. */
  async function reopen({ readOnly = false } = {}) {
    const notes: string[] = []
    const index = await open({ notes, readOnly })
    await index.settled()
    return { index, notes }
  }

  it('is taken as it is', async () => {
    const { index, notes } = await reopen()
    expect(notes).toEqual([])
    expect(index.status()).toMatchObject({ kind: 'hnsw', generation: 800, upToDate: true })
    expect(await answers(index, queries)).toEqual(expected)
    await index.close()
  })

  it.each([
    ['torn', async () => truncate(await graphFile(), 5000), 'damaged'],
    ['changed by a byte', async () => flip(await graphFile()), 'damaged'],
    ['missing', async () => unlink(await graphFile()), 'missing'],
    ['without the list of its vectors', async () => unlink((await graphFile()).replace('.hnsw', '.rows')), 'missing'],
    ['with that list changed', async () => flip((await graphFile()).replace('.hnsw', '.rows')), 'damaged'],
    ['of another dimension', async () => rewriteHeader({ dimension: 64 }), 'another encoder'],
    ['of another encoder', async () => rewriteHeader({ encoder: 'second' }), 'another encoder'],
    ['of an older version', async () => rewriteHeader({ format: 1 }), 'format is unknown'],
    ['without its header', async () => unlink(path.join(dir, 'vectors.json')), 'no snapshot yet'],
    ['with half a header', async () => truncate(path.join(dir, 'vectors.json'), 20), 'header is damaged'],
  ])('%s, is built anew with the same answers', async (_name, damage, reason) => {
    await damage()
    const { index, notes } = await reopen()
    expect(notes).toEqual([expect.stringContaining(reason)])
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    expect(await answers(index, queries)).toEqual(expected)
    await index.close()
  })

  it('is of no use to another library', async () => {
    const { db } = database
    // The same number of vectors with the same encoder, but other ones.
    db.exec('UPDATE vector SET id = id + 5000')
    const { index } = await reopen()
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    expect(await answers(index, queries)).toEqual(expected)
    await index.close()
  })

  it('is of no use where the same ids have other vectors, as after a catalog was set up anew', async () => {
    const { db } = database
    const [a, b] = db.prepare<[], Buffer>('SELECT data FROM vector WHERE id IN (300, 301) ORDER BY id').pluck().all()
    db.prepare('UPDATE vector SET data = CASE id WHEN 300 THEN ? ELSE ? END WHERE id IN (300, 301)').run(b, a)
    const { index, notes } = await reopen()
    expect(notes).toEqual([expect.stringContaining('not those of this library')])
    const swapped = (found: number[][]) => found.map((images) => images.map((image) => (image === 300 ? 301 : image === 301 ? 300 : image)))
    expect(await answers(index, queries)).toEqual(swapped(expected))
    await index.close()
  })

  it('serves a catalog that was put back to an older state, which gives ids anew', async () => {
    const { db } = database
    db.exec(`DELETE FROM image WHERE id > 700; UPDATE sqlite_sequence SET seq = 700 WHERE name IN ('image', 'vector')`)
    const { index } = await reopen()
    const extra = clustered(createRandom(21), 30, 30)
    nextImage = 5000
    const images = store(index, extra)
    expect(images[0]).toBe(701)
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'hnsw', generation: 730, upToDate: true })
    expect((await answers(index, extra, 1)).flat()).toEqual(images)
    expect((await answers(index, queries)).flat().every((image) => image <= 730)).toBe(true)
    await index.close()
  })

  it('is brought up to date: what was added since is found, what was deleted is not', async () => {
    const { index: first } = await reopen()
    const random = createRandom(14)
    const extra = clustered(random, 20, 20)
    const images = store(first, extra)
    await first.settled()
    // A crash: the additions are in the catalog, not in the snapshot.
    const deleted = expected[0]![0]!
    database.db.prepare('DELETE FROM image WHERE id = ?').run(deleted)
    const { index, notes } = await reopen()
    expect(notes).toEqual([])
    expect((await index.search(extra[7]!, 1)).matches[0]!.image).toBe(images[7])
    expect((await answers(index, queries)).flat()).not.toContain(deleted)
    expect(index.count).toBe(819)
    await index.close()
    await first.close()
  })

  it('is cleared of what an interrupted one left', async () => {
    const left = ['vectors-0badcafe.hnsw', 'vectors-0badcafe.rows.tmp', 'vectors.json.tmp']
    for (const name of left) await writeFile(path.join(dir, name), 'half')
    const { index, notes } = await reopen()
    expect(notes).toEqual([])
    expect((await readdir(dir)).filter((name) => left.includes(name))).toEqual([])
    expect(await answers(index, queries)).toEqual(expected)
    await index.close()
  })

  it('leaves no older graph behind', async () => {
    const { index } = await reopen()
    store(index, clustered(createRandom(15), 40, 5))
    await index.settled()
    await index.close()
    const files = (await readdir(dir)).filter((name) => name.startsWith('vectors')).sort()
    const { name, generation } = JSON.parse(await readFile(path.join(dir, 'vectors.json'), 'utf8')) as { name: string; generation: number }
    expect(files).toEqual([`${name}.hnsw`, `${name}.rows`, 'vectors.json'])
    expect(generation).toBe(840)
  })
})

describe('the check of its recall', () => {
  it('is told', async () => {
    const index = await open()
    store(index, clustered(createRandom(22), 1000, 10))
    const before = Date.now()
    await index.settled()
    const { recall: check } = index.status()
    expect(check).toMatchObject({ samples: 100 })
    expect(check!.at10).toBeGreaterThanOrEqual(0.98)
    expect(check!.checkedAt).toBeGreaterThanOrEqual(before)
    await index.close()
  })

  it('finds a graph that lies, and builds it anew', async () => {
    const random = createRandom(23)
    const vectors = clustered(random, 1000, 10)
    const index = await open()
    const images = store(index, vectors)
    await index.settled()
    await index.close()
    // A whole snapshot of the right vectors by the right ids, in whose graph each stands in the place of another.
    const right = new VectorStore(DIMENSION)
    const wrong = new VectorStore(DIMENSION)
    for (const [at, vector] of vectors.entries()) {
      right.append(at + 1, at + 1, vector)
      wrong.append(at + 1, at + 1, vectors[(at + 501) % vectors.length]!)
    }
    const graph = await Graph.empty(wrong)
    for (let row = 0; row < wrong.count; row++) graph.add(wrong, row)
    const ids = Uint32Array.from(vectors, (_, at) => at + 1)
    const rows = { ids, checksums: ids.map((_, row) => right.checksum(row)) }
    await writeSnapshot(dir, { encoder: 'first', dimension: DIMENSION, rows }, (file) => graph.write(file))

    const notes: string[] = []
    const again = await open({ notes })
    await again.settled()
    expect(notes).toEqual([expect.stringMatching(/finds \d+\.\d % of what it should: it is built anew/)])
    expect(again.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    expect(again.status().recall!.at10).toBeGreaterThanOrEqual(0.98)
    expect((await again.search(vectors[7]!, 1)).matches[0]!.image).toBe(images[7])
    await again.close()
  })

  it('lets every vector be scanned where no graph finds its way, as among many that are equal', async () => {
    const random = createRandom(24)
    const distinct = Array.from({ length: 10 }, () => unit(normals(random)))
    const notes: string[] = []
    const index = await open({ notes })
    store(
      index,
      Array.from({ length: 2000 }, (_, at) => distinct[Math.floor(at / 200)]!),
    )
    await index.settled()
    // Built anew once, then given up.
    expect(notes.slice(1)).toEqual([
      expect.stringContaining('it is built anew'),
      expect.stringMatching(/should: searches scan every vector/),
    ])
    expect(index.status()).toMatchObject({ kind: 'exact', upToDate: true })
    expect(await recall(index, distinct)).toBe(1)
    await index.close()
  })
})

describe('open for reading only', () => {
  it('sees what another process adds, and builds and writes nothing', async () => {
    const random = createRandom(25)
    const writer = await open()
    const vectors = clustered(random, 600, 6)
    store(writer, vectors)
    const reader = await open({ readOnly: true })
    await reader.settled()
    expect(reader.status()).toMatchObject({ kind: 'exact' })
    const late = clustered(random, 10, 10)
    const images = store(writer, late)
    expect((await reader.search(late[4]!, 1)).matches[0]!.image).toBe(images[4])
    await reader.close()
    expect((await readdir(dir)).filter((name) => name.startsWith('vectors'))).toEqual([])

    await writer.settled()
    await writer.close()
    const again = await open({ readOnly: true })
    await again.settled()
    expect(again.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    expect((await again.search(late[4]!, 1)).matches[0]!.image).toBe(images[4])
    await again.close()
  })
})

it('never mixes two encoders', async () => {
  const random = createRandom(16)
  const [a, b] = [clustered(random, 300, 5), clustered(random, 300, 5)]
  const first = await open({ encoder: 'first' })
  const imagesA = store(first, a)
  await first.settled()
  await first.close()
  const second = await open({ encoder: 'second' })
  expect(second.count).toBe(0)
  const imagesB = new Set(store(second, b))
  await second.settled()
  const { matches, searched } = await second.search(a[0]!, 300)
  expect(searched).toBe(300)
  expect(matches.every(({ image }) => imagesB.has(image))).toBe(true)
  await second.close()
  const again = await open({ encoder: 'first' })
  await again.settled()
  expect((await again.search(a[0]!, 1)).matches[0]!.image).toBe(imagesA[0])
  await again.close()
})

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file)
  bytes[bytes.length >> 1]! ^= 0xff
  await writeFile(file, bytes)
}

async function rewriteHeader(change: object): Promise<void> {
  const file = path.join(dir, 'vectors.json')
  await writeFile(file, JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), ...change }))
}
