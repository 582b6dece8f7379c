import type { Database } from 'better-sqlite3'

/** What is to be checked of an image. */
export interface ImageCheck {
  id: number
  content_hash: string
  has_thumbnail: 0 | 1
  has_vector: 0 | 1
  /** Files that hold it, and those of them that stand for it in the library, which is one. */
  files: number
  labels: number
  /** The indexed file that stands for it in the library, or null. */
  path: string | null
}

export type VerifyQueries = ReturnType<typeof verifyQueries>

export function verifyQueries(db: Database) {
  const counts = db.prepare<[], { files: number; images: number; vectors: number }>(
    `SELECT (SELECT COUNT(*) FROM file WHERE folder IN (SELECT id FROM folder WHERE removed_at IS NULL)) AS files,
     (SELECT COUNT(*) FROM image) AS images, (SELECT COUNT(*) FROM vector) AS vectors`,
  )
  const filesIn = db.prepare<[number], number>(`SELECT COUNT(*) FROM file WHERE folder = ?`).pluck()
  const images = db.prepare<[number, number, number], ImageCheck>(
    `SELECT id, content_hash,
     EXISTS (SELECT 1 FROM thumbnail WHERE image = i.id AND length(data) > 0) AS has_thumbnail,
     EXISTS (SELECT 1 FROM vector WHERE image = i.id AND encoder = ?) AS has_vector,
     (SELECT COUNT(*) FROM file WHERE image = i.id) AS files,
     (SELECT COUNT(*) FROM file WHERE image = i.id AND shown = 2) AS labels,
     (SELECT f.path FROM file f JOIN folder d ON d.id = f.folder
      WHERE f.image = i.id AND f.shown = 2 AND f.state = 'indexed' AND d.removed_at IS NULL) AS path
     FROM image i WHERE id > ? ORDER BY id LIMIT ?`,
  )
  const dimension = db.prepare<[number], number>(`SELECT dimension FROM encoder WHERE id = ?`).pluck()
  const removeVector = db.prepare<[number]>(`DELETE FROM vector WHERE id = ?`)

  return {
    counts: () => counts.get()!,
    filesIn: (folder: number) => filesIn.get(folder) ?? 0,
    images: (after: number, limit: number, encoder: number) => images.all(encoder, after, limit),
    dimension: (encoder: number) => dimension.get(encoder) ?? 0,
    removeVector: (id: number) => void removeVector.run(id),
  }
}
