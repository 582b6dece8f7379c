/** A catalog with rows of every kind, without pictures, and ways to damage its file. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { createRandom, type Random } from '../../core/random.ts'

/**
 * Fills a catalog of any version with `images` pictures in one folder, one of them `missing`, a thumbnail and a
 * vector each, decisions about neighbours, a removed folder, a setting and a job with results, as far as that
 * version has tables for them.
 */
export function fillCatalog(db: Database.Database, images: number): void {
  const random = createRandom(images)
  const has = (table: string) => db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = ?`).get(table) !== undefined
  db.transaction(() => {
    db.exec(
      `INSERT INTO folder (path, added_at) VALUES ('/pictures', 1); INSERT INTO folder (path, added_at, removed_at) VALUES ('/gone', 1, 2)`,
    )
    db.exec(`INSERT INTO encoder (hash, dimension) VALUES ('encoder', 8)`)
    const image = db.prepare(
      `INSERT INTO image (content_hash, pixel_hash, bytes, width, height, format, bit_depth, has_alpha, perceptual_hash, added_at)
       VALUES (?, ?, 1000, 40, 30, 'jpeg', 8, 0, ?, ?)`,
    )
    const file = db.prepare(
      `INSERT INTO file (folder, path, name, size, mtime, state, image, seen_at, shown, name_key) VALUES (1, ?, ?, 1000, 1, ?, ?, 1, 2, ?)`,
    )
    const thumbnail = db.prepare(`INSERT INTO thumbnail (image, data) VALUES (?, ?)`)
    const vector = db.prepare(`INSERT INTO vector (image, encoder, data) VALUES (?, 1, ?)`)
    const decision = db.prepare(`INSERT INTO decision (a, b, verdict, made_at) VALUES (?, ?, 'keep-both', 1)`)
    for (let id = 1; id <= images; id++) {
      image.run(`content-${id}`, `pixels-${id}`, -BigInt(id) * 0x1234567890123n, id)
      file.run(`/pictures/${id}.jpg`, `${id}.jpg`, id === 2 ? 'missing' : 'indexed', id, `${id}.jpg`)
      thumbnail.run(id, thumbnailOf(random))
      vector.run(id, vectorOf(random))
      if (id % 10 === 0) decision.run(id - 1, id)
    }
    db.exec(
      `INSERT INTO job (kind, title, spec, state, done, failed, started_at) VALUES ('denoise', 'Batch', '{}', 'interrupted', 1, 0, 1)`,
    )
    if (has('job_result')) db.exec(`INSERT INTO job_result (job, input, result) VALUES (1, '/pictures/1.jpg', '{}')`)
    if (has('setting')) db.exec(`INSERT INTO setting (name, value) VALUES ('inference', '{"device":"cpu"}')`)
  })()
}

/** Bytes in the frame of a WebP file, 3 to 9 thousand of them. */
function thumbnailOf(random: Random): Buffer {
  const data = Buffer.alloc(3000 + random.integer(3000) * 2)
  for (let at = 12; at < data.length; at++) data[at] = random.integer(256)
  data.write('RIFF')
  data.writeUInt32LE(data.length - 8, 4)
  data.write('WEBP', 8)
  return data
}

function vectorOf(random: Random): Buffer {
  const values = Array.from({ length: 8 }, () => random.normal())
  const length = Math.hypot(...values)
  const data = Buffer.alloc(32)
  for (const [at, value] of values.entries()) data.writeFloatLE(value / length, at * 4)
  return data
}

/** All rows of a table in a fixed order. */
export function rowsOf(db: Database.Database, table: string): unknown[] {
  return db.prepare(`SELECT * FROM ${table} ORDER BY rowid`).safeIntegers().all()
}

/** The numbers, from 1, of the pages that hold a table's rows, without its indexes. */
export function pagesOf(file: string, table: string): number[] {
  const db = new Database(file, { readonly: true })
  try {
    return db.prepare<[string], number>(`SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno`).pluck().all(table)
  } finally {
    db.close()
  }
}

/** Overwrites pages of a file with random bytes. */
export function scribble(file: string, pages: readonly number[], random: Random, pageBytes = 4096): void {
  const handle = openSync(file, 'r+')
  for (const page of pages) {
    const bytes = Buffer.from(Uint8Array.from({ length: pageBytes }, () => random.integer(256)))
    writeSync(handle, bytes, 0, pageBytes, (page - 1) * pageBytes)
  }
  closeSync(handle)
}

/** Inverts one bit of a file. */
export function flipBit(file: string, bit: number): void {
  const handle = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(handle, byte, 0, 1, bit >> 3)
  byte[0]! ^= 1 << (bit & 7)
  writeSync(handle, byte, 0, 1, bit >> 3)
  closeSync(handle)
}
