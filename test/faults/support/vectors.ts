/** A library of vectors without pictures: what the vector index makes of them can be compared with a plain scan. */
import type Database from 'better-sqlite3'
import { vectorQueries, type LibraryDatabase } from '../../../core/db/index.ts'
import { createRandom, type Random } from '../../../core/random.ts'
import { VectorIndex } from '../../../core/vectors/index.ts'
import { silent, unit } from '../../support/library.ts'
import type { Findings } from './tally.ts'

const DIMENSION = 16

export function openIndex(database: LibraryDatabase, { graphFrom = 100, readOnly = false } = {}): Promise<VectorIndex> {
  const queries = vectorQueries(database.db)
  return VectorIndex.open({ dir: database.dir, queries, encoder: 'faults', dimension: DIMENSION, readOnly, log: silent, graphFrom })
}

export function randomVector(random: Random): Float32Array {
  return unit(Float32Array.from({ length: DIMENSION }, () => random.normal()))
}

/** Stores vectors as an index job does, each with an image of its own. */
export function addVectors(db: Database.Database, index: VectorIndex, random: Random, count: number): void {
  const insert = db.prepare(
    `INSERT INTO image (content_hash, pixel_hash, bytes, width, height, format, bit_depth, has_alpha, perceptual_hash, added_at)
     VALUES (lower(hex(randomblob(32))), '', 1, 1, 1, 'png', 8, 0, 0, 0)`,
  )
  const queries = vectorQueries(db)
  const added = db.transaction(() =>
    Array.from({ length: count }, () => {
      const image = Number(insert.run().lastInsertRowid)
      const vector = randomVector(random)
      return { id: queries.insert(image, index.encoderId(), vector), image, vector }
    }),
  )()
  index.added(added)
}

/** Deletes so many images, and their vectors with them. */
export function removeImages(db: Database.Database, index: VectorIndex, random: Random, count: number): void {
  const images = imagesOf(db)
  const gone = Array.from({ length: Math.min(count, images.length) }, () => images.splice(random.integer(images.length), 1)[0]!)
  const remove = db.prepare(`DELETE FROM image WHERE id = ?`)
  db.transaction(() => gone.forEach((image) => remove.run(image)))()
  index.removed(gone)
}

function imagesOf(db: Database.Database): number[] {
  return db.prepare<[], number>(`SELECT id FROM image ORDER BY id`).pluck().all()
}

/** A sound graph finds no smaller share of the nearest of random vectors, which are the hardest; one that lacks a run's vectors does not. */
const SOUND_RECALL = 0.98

/** Compares a settled index with a plain scan over what the catalog holds. */
export async function compareWithScan(database: LibraryDatabase, index: VectorIndex, seed: number): Promise<Findings> {
  const findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
  const random = createRandom(seed)
  const images = imagesOf(database.db)
  const there = new Set(images)
  if (index.count !== images.length) findings.unsound.push(`the index counts ${index.count} of ${images.length}`)
  const scan = await openIndex(database, { graphFrom: Infinity, readOnly: true })
  try {
    const [hits, misses]: [number[], number[]] = [[], []]
    for (let i = 0; i < 40; i++) {
      const image = images[random.integer(images.length)]!
      const own = await index.search(index.vectorOf(image)!, 1)
      if (own.matches[0]?.image !== image) findings.lost.push(`image ${image} does not find itself`)
      const query = randomVector(random)
      const [answer, truth] = await Promise.all([index.search(query, 10), scan.search(query, 10)])
      const found = answer.matches.map((match) => match.image)
      if (new Set(found).size < found.length) findings.doubled.push(`an image twice in ${found.join()}`)
      if (!found.every((image) => there.has(image))) findings.wrong.push(`an image that is gone in ${found.join()}`)
      for (const { image } of truth.matches) (found.includes(image) ? hits : misses).push(image)
    }
    const recall = hits.length / (hits.length + misses.length)
    if (recall < SOUND_RECALL) findings.wrong.push(`of the nearest only ${recall} are found, not ${misses.join()}`)
  } finally {
    await scan.close()
  }
  return findings
}
