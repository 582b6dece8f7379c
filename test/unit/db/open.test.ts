import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import path from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, expect, it } from 'vitest'
import { isWhole, listBackups } from '../../../core/db/backup.ts'
import { openDatabase } from '../../../core/db/index.ts'
import { versionOf } from '../../../core/db/migrate.ts'
import { migrations } from '../../../core/db/migrations/index.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

let dir: string
beforeEach(async () => {
  dir = path.join(await temporaryFolder(), 'library')
})

const openForWriting = () => openDatabase(dir, { readOnly: false, log: silent })
const openForReading = () => openDatabase(dir, { readOnly: true, log: silent })

/** Another process that opens the library, says what came of it and holds it until its input ends. */
async function otherProcess(readOnly: boolean) {
  const program = `
    import { openDatabase } from ${JSON.stringify(path.resolve('core/db/index.ts'))}
    const log = { info() {}, warn() {}, error() {} }
    try {
      // What nobody holds is collected, and its lock with it.
      globalThis.library = openDatabase(process.argv[1], { readOnly: ${readOnly}, log })
      process.stdout.write('opened')
      process.stdin.resume()
    } catch (error) {
      process.stdout.write(error.code)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, dir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, answer: String(answer) }
}

it('makes a new library and opens it again', () => {
  const first = openForWriting()
  first.db.prepare('INSERT INTO folder (path, added_at) VALUES (?, ?)').run('/pictures', 1)
  first.close()
  const second = openForWriting()
  expect(second.db.prepare('SELECT path FROM folder').pluck().all()).toEqual(['/pictures'])
  expect(second.integrity).toBe('ok')
  expect(second.bytes()).toBeGreaterThan(4096)
  second.close()
})

it('has one writer among processes, and lets others read beside it', async () => {
  const mine = openForWriting()
  const writer = await otherProcess(false)
  expect(writer.answer).toBe('LIBRARY_IN_USE')
  const reader = await otherProcess(true)
  expect(reader.answer).toBe('opened')
  reader.child.kill()
  expect(openForWriting).toThrow(expect.objectContaining({ code: 'LIBRARY_IN_USE' }))
  mine.close()
})

it('is free again as soon as the writer dies, however it dies', async () => {
  const writer = await otherProcess(false)
  expect(writer.answer).toBe('opened')
  expect(openForWriting).toThrow(expect.objectContaining({ code: 'LIBRARY_IN_USE' }))
  writer.child.kill('SIGKILL')
  await once(writer.child, 'exit')
  openForWriting().close()
})

it('refuses a library of a newer version and leaves it as it is', async () => {
  openForWriting().close()
  const db = new Database(path.join(dir, 'lucidex.db'))
  db.pragma(`user_version = ${migrations.length + 1}`)
  db.close()
  expect(openForWriting).toThrow(expect.objectContaining({ code: 'LIBRARY_FROM_FUTURE' }))
  expect(openForReading).toThrow(expect.objectContaining({ code: 'LIBRARY_FROM_FUTURE' }))
  const after = new Database(path.join(dir, 'lucidex.db'))
  expect(versionOf(after)).toBe(migrations.length + 1)
  after.close()
})

it('tells who only reads that the library is damaged, or is none', async () => {
  const whole = openForWriting()
  const page = whole.db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'file'`).pluck().get() as number
  const pageBytes = whole.db.pragma('page_size', { simple: true }) as number
  whole.close()
  const file = path.join(dir, 'lucidex.db')
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(pageBytes, 0x5a), 0, pageBytes, (page - 1) * pageBytes)
  await handle.close()
  const reading = openForReading()
  expect(reading.integrity).toBe('corrupt')
  reading.close()

  await writeFile(file, 'Dear reader, this is no database. '.repeat(200))
  expect(openForReading).toThrow(expect.objectContaining({ code: 'LIBRARY_CORRUPT' }))
})

it('reads only what is there', () => {
  expect(openForReading).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
  expect(existsSync(dir)).toBe(false)
})

it('cannot be kept where a file is in the way', async () => {
  await writeFile(dir, 'a file')
  expect(openForWriting).toThrow(expect.objectContaining({ code: 'FILE_NOT_WRITABLE' }))
})

it('leaves one file behind, which can be read where nothing can be written', async () => {
  openForWriting().close()
  expect((await readdir(dir)).sort()).toEqual(['lucidex.db', 'lucidex.lock'])
})

it('backs a library up before it migrates it', () => {
  const { db, close } = openForWriting()
  db.prepare('INSERT INTO folder (path, added_at) VALUES (?, ?)').run('/pictures', 1)
  close()
  const next = { version: migrations.length + 1, sql: 'ALTER TABLE folder ADD COLUMN colour TEXT' }
  const migrated = openDatabase(dir, { readOnly: false, log: silent, migrations: [...migrations, next] })
  expect(versionOf(migrated.db)).toBe(next.version)
  expect(migrated.db.prepare('SELECT colour FROM folder').pluck().all()).toEqual([null])
  migrated.close()

  const [backup, ...others] = listBackups(dir)
  expect(others).toEqual([])
  expect(backup!.version).toBe(migrations.length)
  expect(isWhole(backup!)).toBe(true)
  const kept = new Database(backup!.file, { readonly: true })
  expect(kept.prepare('SELECT path FROM folder').pluck().all()).toEqual(['/pictures'])
  kept.close()
})

it('migrates wholly or not at all', () => {
  openForWriting().close()
  const next = migrations.length + 1
  const broken = [
    ...migrations,
    { version: next, sql: 'CREATE TABLE extra (id INTEGER) STRICT' },
    { version: next + 1, sql: 'ALTER TABLE nowhere ADD COLUMN x TEXT' },
  ]
  expect(() => openDatabase(dir, { readOnly: false, log: silent, migrations: broken })).toThrow('nowhere')
  const { db, close } = openForWriting()
  expect(versionOf(db)).toBe(migrations.length)
  expect(db.prepare(`SELECT COUNT(*) FROM sqlite_schema WHERE name = 'extra'`).pluck().get()).toBe(0)
  close()
})
