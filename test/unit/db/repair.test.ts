import { existsSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { listBackups } from '../../../core/db/backup.ts'
import { openDatabase, Upkeep, type LibraryDatabase } from '../../../core/db/index.ts'
import { migrations } from '../../../core/db/migrations/index.ts'
import { createRandom } from '../../../core/random.ts'
import { fillCatalog, flipBit, pagesOf, rowsOf, scribble } from '../../support/catalog.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const IMAGES = 60
/** What cannot be computed from the pictures. */
const PRECIOUS = ['folder', 'decision', 'setting', 'job', 'job_result']

let dir: string
let file: string
let before: Record<string, unknown[]>

const openForWriting = (options: Partial<Parameters<typeof openDatabase>[1]> = {}) =>
  openDatabase(dir, { readOnly: false, log: silent, ...options })

async function backUp(database: LibraryDatabase, now = Date.now()): Promise<void> {
  const upkeep = new Upkeep(database, { log: silent, now: () => now })
  await upkeep.run()
  await upkeep.close()
}

beforeEach(async () => {
  dir = path.join(await temporaryFolder(), 'library')
  file = path.join(dir, 'lucidex.db')
  const database = openForWriting()
  fillCatalog(database.db, IMAGES)
  await backUp(database)
  before = Object.fromEntries([...PRECIOUS, 'image', 'file', 'thumbnail', 'vector'].map((table) => [table, rowsOf(database.db, table)]))
  database.close()
})

/** Opens the library, which must be sound, and answers what it holds and what was repaired. */
function opened() {
  const database = openForWriting()
  const { db, repair } = database
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.pragma('foreign_key_check')).toEqual([])
  const rows = Object.fromEntries(Object.keys(before).map((table) => [table, rowsOf(db, table)]))
  database.close()
  return { repair, rows }
}

describe('a damaged page', () => {
  it('of thumbnails costs those thumbnails and nothing else', () => {
    const page = pagesOf(file, 'thumbnail').at(-1)!
    scribble(file, [page], createRandom(1))
    const damaged = readFileSync(file)
    const { repair, rows } = opened()
    expect(repair).toMatchObject({ kept: expect.arrayContaining(['file', 'image', 'decision']) })
    expect(readFileSync(repair!.setAside!).equals(damaged)).toBe(true)
    for (const table of [...PRECIOUS, 'image', 'file']) expect(rows[table], table).toEqual(before[table])
    // Without their vectors they are read again.
    expect(rows.vector!.length).toBe(rows.thumbnail!.length)
    expect(rows.thumbnail!.length).toBeGreaterThanOrEqual(IMAGES - 3)
    expect(rows.thumbnail!.length).toBeLessThan(IMAGES)
    expect(before.thumbnail).toEqual(expect.arrayContaining(rows.thumbnail!))
  })

  it('of the files is made good from the backup, and every file is looked at again', () => {
    scribble(file, pagesOf(file, 'file').slice(-1), createRandom(2))
    const { repair, rows } = opened()
    expect(repair!.kept).not.toContain('file')
    for (const table of [...PRECIOUS, 'image', 'vector', 'thumbnail']) expect(rows[table], table).toEqual(before[table])
    const awaited = before.file!.map((row) =>
      (row as { state: string }).state === 'indexed' ? { ...(row as object), state: 'pending' } : row,
    )
    expect(rows.file).toEqual(awaited)
  })

  it('of an index is found, although its table is whole', () => {
    scribble(file, pagesOf(file, 'file_library_name').slice(-1), createRandom(3))
    const { repair, rows } = opened()
    expect(repair).toBeDefined()
    for (const table of PRECIOUS) expect(rows[table], table).toEqual(before[table])
  })

  it('at the very beginning leaves what the backup knows', () => {
    scribble(file, [1], createRandom(4))
    const { repair, rows } = opened()
    expect(repair).toMatchObject({ kept: [], backup: expect.any(Number) })
    for (const table of [...PRECIOUS, 'image', 'file']) expect(rows[table], table).toEqual(before[table])
    expect(rows.thumbnail).toEqual([])
    expect(rows.vector).toEqual([])
  })

  it('at the beginning, without a backup, leaves an empty library and the damaged file', () => {
    rmSync(path.join(dir, 'backups'), { recursive: true })
    scribble(file, [1], createRandom(5))
    const { repair, rows } = opened()
    expect(repair).toMatchObject({ kept: [], backup: null })
    expect(existsSync(repair!.setAside!)).toBe(true)
    expect(rows.folder).toEqual([])
  })
})

it('gives no id again that the damaged library had given', async () => {
  const database = openForWriting()
  database.db.exec(`DELETE FROM file WHERE image > 50; DELETE FROM image WHERE id > 50`)
  await backUp(database, Date.now() + 48 * 3600_000)
  database.close()
  scribble(file, [1], createRandom(6))
  const again = openForWriting()
  fillImage(again)
  expect(again.db.prepare('SELECT MAX(id) FROM image').pluck().get()).toBe(IMAGES + 1)
  again.close()

  function fillImage({ db }: LibraryDatabase) {
    db.exec(`INSERT INTO image (content_hash, pixel_hash, bytes, width, height, format, bit_depth, has_alpha, perceptual_hash, added_at)
             VALUES ('new', 'new', 1, 1, 1, 'png', 8, 0, 0, 1)`)
  }
})

it('puts an emptied or lost catalog back from the backup', () => {
  truncateSync(file, 0)
  expect(opened().rows.decision).toEqual(before.decision)
  rmSync(file)
  const { repair, rows } = opened()
  expect(rows.decision).toEqual(before.decision)
  expect(repair!.setAside).toBe(null)
})

it('uses no backup of which a single bit has changed', async () => {
  const database = openForWriting()
  database.db.exec(`INSERT INTO folder (path, added_at) VALUES ('/later', 3)`)
  await backUp(database, Date.now() + 48 * 3600_000)
  database.close()
  const [newest, older] = listBackups(dir)
  expect(newest!.number).toBe(older!.number + 1)
  flipBit(newest!.file, 8 * 9000 + 3)
  scribble(file, [1], createRandom(7))
  const { repair, rows } = opened()
  expect(repair!.backup).toBe(older!.madeAt)
  expect(rows.folder).toEqual(before.folder)
})

it('finishes what a process killed in the last step of a repair has left', () => {
  scribble(file, pagesOf(file, 'file').slice(-1), createRandom(8))
  const damaged = readFileSync(file)
  const first = openForWriting()
  const { setAside } = first.repair!
  first.close()
  // As it was right before the new database got its name.
  renameSync(file, `${file}.rebuilt`)
  renameSync(setAside!, file)
  const { repair, rows } = opened()
  expect(repair).toBeUndefined()
  expect(rows.folder).toEqual(before.folder)
  const [aside, ...others] = readdirSync(dir).filter((name) => name.includes('damaged'))
  expect(others).toEqual([])
  expect(readFileSync(path.join(dir, aside!)).equals(damaged)).toBe(true)
})

it('repairs at the next start what was met while the library was open', () => {
  const database = openForWriting({ checkedAtOnce: 0 })
  expect(database.isChecked).toBe(false)
  const told: string[] = []
  database.onDamage(({ code }) => told.push(code))
  const pages = pagesOf(file, 'thumbnail')
  scribble(file, pages.slice(Math.ceil(pages.length / 2)), createRandom(9))
  const read = database.db.prepare('SELECT data FROM thumbnail WHERE image = ?')
  for (let image = 1; image <= IMAGES; image++) {
    try {
      read.get(image)
    } catch (thrown) {
      expect(database.failure(thrown)).toMatchObject({ code: 'LIBRARY_CORRUPT' })
    }
  }
  expect(told).toEqual(['LIBRARY_CORRUPT'])
  expect(database.integrity).toBe('corrupt')
  database.close()
  expect(openForWriting({ checkedAtOnce: 0 }).repair?.kept).toContain('image')
})

it('does not take a library apart for a note alone', () => {
  writeFileSync(`${file}.suspect`, 'a cable was loose\n')
  expect(opened().repair).toBeUndefined()
  expect(existsSync(`${file}.suspect`)).toBe(false)
})

it('repairs a library of an earlier version as one of that version, then brings it up', async () => {
  const older = migrations.slice(0, -1)
  dir = path.join(await temporaryFolder(), 'library')
  file = path.join(dir, 'lucidex.db')
  const database = openForWriting({ migrations: older })
  fillCatalog(database.db, IMAGES)
  await backUp(database)
  const folders = rowsOf(database.db, 'decision')
  database.close()
  scribble(file, pagesOf(file, 'decision').slice(-1), createRandom(10))
  const again = openForWriting()
  expect(again.repair).toBeDefined()
  expect(rowsOf(again.db, 'decision')).toEqual(folders)
  expect(again.db.pragma('user_version', { simple: true })).toBe(migrations.length)
  again.close()
})
