import type { Database } from 'better-sqlite3'

export interface VectorRow {
  id: number
  image: number
  data: Buffer
}

export type VectorQueries = ReturnType<typeof vectorQueries>

export function vectorQueries(db: Database) {
  const encoder = db.prepare<[string], number>(`SELECT id FROM encoder WHERE hash = ?`).pluck()
  const insertEncoder = db.prepare<[string, number]>(`INSERT INTO encoder (hash, dimension) VALUES (?, ?)`)
  const after = db.prepare<[number, number, number], VectorRow>(
    `SELECT id, image, data FROM vector WHERE encoder = ? AND id > ? ORDER BY id LIMIT ?`,
  )
  const has = db.prepare<[number, number], 1>(`SELECT 1 FROM vector WHERE image = ? AND encoder = ?`).pluck()
  const ofImage = db.prepare<[number, number], Buffer>(`SELECT data FROM vector WHERE image = ? AND encoder = ?`).pluck()
  const insert = db.prepare<[number, number, Uint8Array]>(`INSERT INTO vector (image, encoder, data) VALUES (?, ?, ?)`)

  return {
    /** The id of an encoder by its model's hash, or undefined while it has no vectors. */
    encoder: (hash: string) => encoder.get(hash),
    addEncoder: (hash: string, dimension: number) => Number(insertEncoder.run(hash, dimension).lastInsertRowid),
    /** Vectors of an encoder in the order of their ids, which is the order in which they were added. */
    after: (encoderId: number, id: number, limit: number) => after.all(encoderId, id, limit),
    has: (image: number, encoderId: number) => has.get(image, encoderId) !== undefined,
    /** The bytes of an image's vector, as {@link toBytes} makes them. */
    ofImage: (image: number, encoderId: number) => ofImage.get(image, encoderId),
    insert: (image: number, encoderId: number, vector: Float32Array) =>
      Number(insert.run(image, encoderId, toBytes(vector)).lastInsertRowid),
  }
}

/** A vector as it is stored: little-endian float32, on every machine. */
export function toBytes(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * 4)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < vector.length; i++) view.setFloat32(i * 4, vector[i]!, true)
  return bytes
}

/** The vector of {@link toBytes}'s bytes. */
export function fromBytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, at) => view.getFloat32(at * 4, true))
}

/** A unit vector's length may be off by this: float32 is exact to 1e-6 for 128 numbers. */
const UNIT_TOLERANCE = 1e-3

/** Whether these are the bytes of so many finite numbers (`dimension` undefined: of any number of them) whose vector has length 1. */
export function isUnitVector(data: Buffer, dimension = Math.floor(data.length / 4)): boolean {
  if (data.length !== dimension * 4) return false
  let sum = 0
  for (let at = 0; at < data.length; at += 4) sum += data.readFloatLE(at) ** 2
  return Math.abs(Math.sqrt(sum) - 1) < UNIT_TOLERANCE
}
