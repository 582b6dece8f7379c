import { readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, vectorQueries, type LibraryDatabase } from '../../../core/db/index.ts'
import { createRandom, type Random } from '../../../core/random.ts'
import { VectorIndex } from '../../../core/vectors/index.ts'
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

function open({ encoder = 'first', graphFrom = 200 } = {}) {
  const queries = vectorQueries(database.db)
  return VectorIndex.open({ dir, queries, encoder, dimension: DIMENSION, readOnly: false, log: silent, graphFrom })
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
  const found: number[][] = []
  for (const query of queries) found.push((await index.search(query, k)).matches.map(({ image }) => image))
  return found
}

describe('a graph', () => {
  it('agrees with the exact scan: recall@10 of at least 0.98 on clustered vectors', async () => {
    const random = createRandom(11)
    const vectors = clustered(random, 4000, 40)
    const queries = vectors.slice(0, 100).map((vector) => near(random, vector, 0.3))
    const index = await open()
    store(index, vectors)
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    let hits = 0
    for (const query of queries) {
      const approximate = await index.search(query, 10)
      const exact = await index.search(query, 10, () => true)
      expect([approximate.method, exact.method]).toEqual(['hnsw', 'exact'])
      const wanted = new Set(exact.matches.map(({ image }) => image))
      hits += approximate.matches.filter(({ image }) => wanted.has(image)).length
    }
    expect(hits / (queries.length * 10)).toBeGreaterThanOrEqual(0.98)
    await index.close()
  })

  it('is not used by a small library', async () => {
    const index = await open({ graphFrom: 500 })
    store(index, clustered(createRandom(1), 300, 5))
    await index.settled()
    expect(index.status()).toMatchObject({ kind: 'exact', upToDate: true })
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
    // Not a turn of the loop has passed: the new ones cannot be in the graph.
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: false })
    const { matches, method } = await index.search(late[49]!, 1)
    expect({ method, image: matches[0]!.image }).toEqual({ method: 'hnsw', image: images[49] })
    await index.close()
  })
})

describe('its snapshot', () => {
  let queries: Float32Array[]
  let expected: number[][]

  beforeEach(async () => {
    const random = createRandom(13)
    const vectors = clustered(random, 800, 20)
    queries = vectors.slice(0, 20).map((vector) => near(random, vector, 0.3))
    const index = await open()
    store(index, vectors)
    await index.settled()
    expected = await answers(index, queries)
    await index.close()
  })

  const graphFile = async () =>
    path.join(
      dir,
      (await readdir(dir)).find((name) => name.endsWith('.hnsw'))!,
    )

  /** Opens, and tells whether the graph was built anew. */
  async function reopen() {
    const notes: string[] = []
    const log = { ...silent, info: (message: string) => void notes.push(message) }
    const index = await VectorIndex.open({
      dir,
      queries: vectorQueries(database.db),
      encoder: 'first',
      dimension: DIMENSION,
      readOnly: false,
      log,
      graphFrom: 200,
    })
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
    const { index, notes } = await reopen()
    expect(notes).toEqual([])
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    expect(await answers(index, queries)).toEqual(expected)
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

  it('leaves no older graph behind', async () => {
    const { index } = await reopen()
    store(index, clustered(createRandom(15), 5, 5))
    await index.settled()
    await index.close()
    expect((await readdir(dir)).filter((name) => name.startsWith('vectors')).sort()).toEqual(['vectors-805.hnsw', 'vectors.json'])
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
