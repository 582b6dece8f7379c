import { statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { listBackups } from '../../../core/db/backup.ts'
import { giveBackRoom, openDatabase, Upkeep, type LibraryDatabase } from '../../../core/db/index.ts'
import { createRandom } from '../../../core/random.ts'
import { fillCatalog, pagesOf, scribble } from '../../support/catalog.ts'
import { silent } from '../../support/library.ts'
import { longestHold, slowness } from '../../support/loopHold.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const HOUR = 3600_000
let dir: string
let database: LibraryDatabase
let now: number

beforeEach(async () => {
  dir = path.join(await temporaryFolder(), 'library')
  database = openDatabase(dir, { readOnly: false, log: silent, checkedAtOnce: 0 })
  now = Date.parse('2026-03-04T05:06:07Z')
})
afterEach(() => database.close())

const upkeep = () => new Upkeep(database, { log: silent, now: () => now })
const numbers = () => listBackups(dir).map(({ number }) => number)

it('backs up once a day, keeps a few backups, and trusts no clock', async () => {
  const keep = upkeep()
  await keep.run()
  expect(listBackups(dir)).toMatchObject([{ number: 1, madeAt: now }])
  now += 23 * HOUR
  await keep.run()
  expect(numbers()).toEqual([1])
  now += 2 * HOUR
  await keep.run()
  expect(numbers()).toEqual([2, 1])
  // Set back by years: the newest is the one made last all the same.
  now -= 50_000 * HOUR
  await keep.run()
  expect(numbers()).toEqual([3, 2, 1])
  expect(listBackups(dir)[0]!.madeAt).toBe(now)
  now += 30 * HOUR
  await keep.run()
  expect(numbers()).toEqual([4, 3, 2])
  await keep.close()
})

it('backs up on closing what was changed, and only what cannot be computed again', async () => {
  const first = upkeep()
  await first.run()
  fillCatalog(database.db, 5)
  await first.close()
  expect(numbers()).toEqual([2, 1])
  database.close()
  database = openDatabase(dir, { readOnly: false, log: silent })
  const second = upkeep()
  database.db.exec(`UPDATE file SET state = 'missing'; UPDATE job SET state = 'done'`)
  await second.close()
  expect(numbers()).toEqual([2, 1])
})

it('finds the damage that was not looked for on opening, and then makes no backup', async () => {
  fillCatalog(database.db, 60)
  database.db.pragma('wal_checkpoint(TRUNCATE)')
  const [page] = pagesOf(database.db.name, 'thumbnail').slice(-1)
  scribble(database.db.name, [page!], createRandom(1))
  const told: string[] = []
  database.onDamage(({ code }) => told.push(code))
  const keep = upkeep()
  await keep.run()
  await keep.close()
  expect(told).toEqual(['LIBRARY_CORRUPT'])
  expect(database.integrity).toBe('corrupt')
  expect(numbers()).toEqual([])
})

it('gives the room of what was deleted back to the disk without holding the loop', async () => {
  const { db } = database
  fillCatalog(db, 3000)
  db.pragma('wal_checkpoint(TRUNCATE)')
  const before = statSync(db.name).size
  db.exec(
    'DELETE FROM file WHERE image > 100; DELETE FROM decision; DELETE FROM vector WHERE image > 100; DELETE FROM thumbnail WHERE image > 100',
  )
  const held = await longestHold(() => giveBackRoom(db, () => true))
  expect(held).toBeLessThan(50 * slowness())
  db.pragma('wal_checkpoint(TRUNCATE)')
  expect(statSync(db.name).size).toBeLessThan(before / 4)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.prepare('SELECT COUNT(*) FROM thumbnail').pluck().get()).toBe(100)
})
