import type { Database } from 'better-sqlite3'

/** An image of another library, its columns as they are there; 64-bit numbers as text. */
export interface ForeignImage {
  id: number
  content_hash: string
  perceptual_hash: string
  thumbnail: Uint8Array | null
  vector: Uint8Array | null
  [column: string]: unknown
}

export interface ForeignFile {
  id: number
  folder: number
  path: string
  size: number
  mtime: number
  image: number | null
}

export interface ForeignDecision {
  a: number
  b: number
  verdict: 'keep-both' | 'not-duplicate'
  made_at: number
}

export type ImportQueries = ReturnType<typeof importQueries>

/** For taking over what another library knows. */
export function importQueries(db: Database) {
  // Computed columns and the id are not taken over.
  const columns = (db.pragma(`table_info('image')`) as { name: string }[]).map(({ name }) => name).filter((name) => name !== 'id')
  const parameter = (name: string) => (name === 'perceptual_hash' ? `CAST(@${name} AS INTEGER)` : `@${name}`)
  const insertImage = db.prepare(`INSERT INTO image (${columns.join(', ')}) VALUES (${columns.map(parameter).join(', ')})`)
  const insertThumbnail = db.prepare<[number, Uint8Array]>(`INSERT OR IGNORE INTO thumbnail (image, data) VALUES (?, ?)`)
  const insertVector = db.prepare<[number, number, Uint8Array]>(`INSERT OR IGNORE INTO vector (image, encoder, data) VALUES (?, ?, ?)`)
  const insertDecision = db.prepare<[number, number, string, number]>(
    `INSERT OR IGNORE INTO decision (a, b, verdict, made_at) VALUES (?, ?, ?, ?)`,
  )
  const insertFolder = db.prepare<[string, number, string, number]>(
    `INSERT INTO folder (path, added_at, ignore, removed_at) VALUES (?, ?, ?, ?)`,
  )
  const show = db.prepare<[string, 0 | 1, number]>(`UPDATE folder SET path = ?, offline = ?, removed_at = NULL WHERE id = ?`)

  return {
    /** Reads images, with their thumbnails and this encoder's vectors, from another library, to be sent as text to its connection. */
    imagesAfter: (id: number, encoder: number, limit: number) =>
      `SELECT i.id, ${columns.map((name) => (name === 'perceptual_hash' ? `CAST(i.${name} AS TEXT) AS ${name}` : `i.${name}`)).join(', ')},
       (SELECT data FROM thumbnail WHERE image = i.id) AS thumbnail,
       (SELECT data FROM vector WHERE image = i.id AND encoder = ${encoder}) AS vector
       FROM image i WHERE i.id > ${id} ORDER BY i.id LIMIT ${limit}`,
    insertImage: (image: ForeignImage) =>
      Number(insertImage.run(Object.fromEntries(columns.map((name) => [name, image[name]]))).lastInsertRowid),
    insertThumbnail: (image: number, data: Uint8Array) => void insertThumbnail.run(image, data),
    /** The new vector's id, or undefined when there is one already. */
    insertVector(image: number, encoder: number, data: Uint8Array): number | undefined {
      const { changes, lastInsertRowid } = insertVector.run(image, encoder, data)
      return changes === 1 ? Number(lastInsertRowid) : undefined
    },
    /** Returns whether nothing was decided about these two yet. */
    insertDecision: (a: number, b: number, verdict: string, madeAt: number) =>
      insertDecision.run(Math.min(a, b), Math.max(a, b), verdict, madeAt).changes === 1,
    /** A folder that is hidden, and deleted by the next start, until it is shown. */
    insertHiddenFolder: (name: string, addedAt: number, ignore: string, now: number) =>
      Number(insertFolder.run(name, addedAt, ignore, now).lastInsertRowid),
    show: (folder: number, path: string, offline: boolean) => void show.run(path, offline ? 1 : 0, folder),
  }
}
