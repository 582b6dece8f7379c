import type { Database } from 'better-sqlite3'
import type { IndexedPicture } from '../../images/types.ts'

export interface ImageRow {
  id: number
  content_hash: string
  pixel_hash: string
  bytes: number
  width: number
  height: number
  format: string
  bit_depth: number
  has_alpha: 0 | 1
  profile: string | null
  taken_at: number | null
  camera: string | null
  lens: string | null
  iso: number | null
  exposure: number | null
  aperture: number | null
  focal_length: number | null
  latitude: number | null
  longitude: number | null
  sigma: number | null
  added_at: number
}

export type ImageQueries = ReturnType<typeof imageQueries>

/** The columns that a picture fills in, each from the named parameter beside it. */
const FILLED = {
  content_hash: 'contentHash',
  pixel_hash: 'pixelHash',
  bytes: 'bytes',
  width: 'width',
  height: 'height',
  format: 'format',
  bit_depth: 'bitDepth',
  has_alpha: 'hasAlpha',
  profile: 'profile',
  taken_at: 'takenAt',
  camera: 'camera',
  lens: 'lens',
  iso: 'iso',
  exposure: 'exposure',
  aperture: 'aperture',
  focal_length: 'focalLength',
  latitude: 'latitude',
  longitude: 'longitude',
  perceptual_hash: 'perceptualHash',
} as const

export function imageQueries(db: Database) {
  const columns = Object.keys(FILLED)
  const parameters = Object.values(FILLED).map((name) => `@${name}`)
  const insert = db.prepare(`INSERT INTO image (${columns.join(', ')}, added_at) VALUES (${parameters.join(', ')}, @addedAt)`)
  const update = db.prepare(`UPDATE image SET ${columns.map((column, at) => `${column} = ${parameters[at]}`).join(', ')} WHERE id = @id`)
  const setThumbnail = db.prepare<[number, Uint8Array]>(`INSERT OR REPLACE INTO thumbnail (image, data) VALUES (?, ?)`)
  const keepThumbnail = db.prepare<[number, Uint8Array]>(`INSERT OR IGNORE INTO thumbnail (image, data) VALUES (?, ?)`)
  // The perceptual hash is left out: it does not fit a JavaScript number.
  const byId = db.prepare<[number], ImageRow>(
    `SELECT id, ${columns.filter((column) => column !== 'perceptual_hash').join(', ')}, sigma, added_at FROM image WHERE id = ?`,
  )
  const byHash = db.prepare<[string], number>(`SELECT id FROM image WHERE content_hash = ?`).pluck()
  const pixelHash = db.prepare<[number], string>(`SELECT pixel_hash FROM image WHERE id = ?`).pluck()
  const thumbnail = db.prepare<[number], Buffer>(`SELECT data FROM thumbnail WHERE image = ?`).pluck()
  const orphans = db
    .prepare<[number], number>(
      `SELECT id FROM image i WHERE NOT EXISTS (SELECT 1 FROM file WHERE image = i.id)
       AND NOT EXISTS (SELECT 1 FROM forgotten WHERE image = i.id) LIMIT ?`,
    )
    .pluck()
  const remove = db.prepare<[number]>(`DELETE FROM image WHERE id = ?`)

  return {
    byId: (id: number) => byId.get(id),
    byHash: (contentHash: string) => byHash.get(contentHash),
    pixelHash: (id: number) => pixelHash.get(id),
    thumbnail: (id: number) => thumbnail.get(id),
    insert(picture: IndexedPicture, addedAt: number): number {
      const id = Number(insert.run({ ...filled(picture), addedAt }).lastInsertRowid)
      setThumbnail.run(id, picture.thumbnail.data)
      return id
    },
    /** The same pixels in a file with other metadata: the image keeps its id, its vector and what was decided about it. */
    update(id: number, picture: IndexedPicture): void {
      update.run({ ...filled(picture), id })
      setThumbnail.run(id, picture.thumbnail.data)
    },
    /** Images that no file holds any more, nor one that was forgotten and may come back. */
    orphans: (limit: number) => orphans.all(limit),
    /** Gives the image its thumbnail if it has none. */
    keepThumbnail: (id: number, picture: IndexedPicture) => void keepThumbnail.run(id, picture.thumbnail.data),
    remove: (id: number) => void remove.run(id),
  }
}

function filled(picture: IndexedPicture): Record<(typeof FILLED)[keyof typeof FILLED], string | number | bigint | null> {
  const { contentHash, pixelHash, bytes, width, height, format, bitDepth, profile, metadata } = picture
  return {
    ...{ contentHash, pixelHash, bytes, width, height, format, bitDepth, profile },
    ...metadata,
    hasAlpha: picture.hasAlpha ? 1 : 0,
    perceptualHash: BigInt.asIntN(64, picture.perceptualHash),
  }
}
