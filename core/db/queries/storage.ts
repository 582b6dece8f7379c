import type { Database } from 'better-sqlite3'

/** Thumbnails whose size is looked up for an estimate of all of them. */
const SAMPLES = 64

export type StorageQueries = ReturnType<typeof storageQueries>

/** Where the bytes of a database are. Reading every thumbnail's size would mean reading most of the file: theirs is an estimate from a sample spread over all of them. */
export function storageQueries(db: Database) {
  const counts = db.prepare<[], { images: number; first: number; last: number }>(
    `SELECT COUNT(*) AS images, COALESCE(MIN(id), 0) AS first, COALESCE(MAX(id), 0) AS last FROM image`,
  )
  const sample = db.prepare<[number], number>(`SELECT length(data) FROM thumbnail WHERE image >= ? ORDER BY image LIMIT 1`).pluck()
  const vectors = db.prepare<[], { count: number; dimension: number }>(
    `SELECT e.dimension, (SELECT COUNT(*) FROM vector WHERE encoder = e.id) AS count FROM encoder e`,
  )

  return {
    bytes(): { catalog: number; thumbnails: number; vectors: number; free: number } {
      const pragma = (name: string) => db.pragma(name, { simple: true }) as number
      const page = pragma('page_size')
      const { images, first, last } = counts.get()!
      const sizes = Array.from(
        { length: Math.min(SAMPLES, images) },
        (_, at) => sample.get(first + Math.floor(((last - first) * at) / SAMPLES)) ?? 0,
      )
      const thumbnails = sizes.length === 0 ? 0 : Math.round((sizes.reduce((sum, size) => sum + size, 0) / sizes.length) * images)
      const vectorBytes = vectors.all().reduce((sum, { count, dimension }) => sum + count * dimension * 4, 0)
      const free = pragma('freelist_count') * page
      return { catalog: Math.max(0, pragma('page_count') * page - thumbnails - vectorBytes), thumbnails, vectors: vectorBytes, free }
    },
  }
}
