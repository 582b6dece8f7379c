import path from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase, toBytes, vectorQueries } from '../../core/db/index.ts'
import { createRandom } from '../../core/random.ts'
import { VectorIndex } from '../../core/vectors/index.ts'
import { silent, unit } from '../support/library.ts'
import { longestHold, slowness } from '../support/loopHold.ts'
import { temporaryFolder } from '../support/pictures.ts'

/** Fewer than descriptors have: what could hold the loop grows with their number, and building takes a quarter of the time. */
const DIMENSION = 32
const COUNT = 20_000

it('never holds the loop for 50 ms while 20,000 vectors are read, indexed, saved, loaded, deleted, compacted and searched', async () => {
  const dir = path.join(await temporaryFolder(), 'library')
  const database = openDatabase(dir, { readOnly: false, log: silent })
  const random = createRandom(31)
  const normals = () => Float32Array.from({ length: DIMENSION }, () => random.normal())
  const centres = Array.from({ length: 200 }, () => unit(normals()))
  const vectors = Array.from({ length: COUNT }, (_, at) => {
    const noise = unit(normals())
    return unit(centres[at % centres.length]!.map((value, i) => value + 0.6 * noise[i]!))
  })
  store(database.db, vectors)

  const open = () =>
    VectorIndex.open({
      ...{ dir, queries: vectorQueries(database.db), encoder: 'first', dimension: DIMENSION },
      ...{ readOnly: false, log: silent, graphFrom: 5000 },
    })
  /** Searches until the index has settled. */
  const searched = async (index: VectorIndex) => {
    const state = { settled: false }
    const settled = index.settled().finally(() => (state.settled = true))
    for (let at = 0; !state.settled; at++) {
      const { matches } = await index.search(vectors[COUNT - 1 - (at % 50)]!, 10)
      expect(matches[0]!.image).toBe(COUNT - (at % 50))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await settled
  }

  const building = await longestHold(async () => {
    const index = await open()
    await searched(index)
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    await index.close()
  })
  const keeping = await longestHold(async () => {
    const index = await open()
    const removed = Array.from({ length: COUNT * 0.3 }, (_, at) => at + 1)
    index.removed(removed)
    for (let at = 0; at < 500; at += 10) {
      index.added(vectors.slice(at, at + 10).map((vector, i) => ({ id: COUNT + at + i + 1, image: COUNT + at + i + 1, vector })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await searched(index)
    expect(index.count).toBe(COUNT * 0.7 + 500)
    expect(index.status()).toMatchObject({ kind: 'hnsw', upToDate: true })
    await index.close()
  })
  database.close()
  expect(Math.max(building, keeping)).toBeLessThan(50 * slowness())
  // Some ten seconds, where nothing else is to be done.
}, 240_000)

/** One image and one vector each, ids from 1. */
function store(db: ReturnType<typeof openDatabase>['db'], vectors: Float32Array[]): void {
  const image = db.prepare(
    `INSERT INTO image (content_hash, pixel_hash, bytes, width, height, format, bit_depth, has_alpha, perceptual_hash, added_at) VALUES (?, '', 1, 1, 1, 'png', 8, 0, 0, 0)`,
  )
  const vector = db.prepare('INSERT INTO vector (image, encoder, data) VALUES (?, 1, ?)')
  db.transaction(() => {
    db.prepare('INSERT INTO encoder (id, hash, dimension) VALUES (1, ?, ?)').run('first', DIMENSION)
    for (const [at, data] of vectors.entries()) vector.run(image.run(`hash-${at}`).lastInsertRowid, toBytes(data))
  })()
}
