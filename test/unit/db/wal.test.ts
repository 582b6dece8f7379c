import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, expect, it } from 'vitest'
import { isLogSuspect } from '../../../core/db/wal.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const FRAME = 24 + 4096
let log: string

/** A log of some twenty transactions, as a killed process leaves it. */
beforeEach(async () => {
  const file = path.join(await temporaryFolder(), 'a.db')
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t (data BLOB)')
  // A second round: frames of the first lie behind its end.
  for (let i = 0; i < 30; i++) db.prepare('INSERT INTO t VALUES (randomblob(3000))').run()
  db.pragma('wal_checkpoint(RESTART)')
  for (let i = 0; i < 20; i++) db.prepare('INSERT INTO t VALUES (randomblob(3000))').run()
  log = `${file}-copy-wal`
  copyFileSync(`${file}-wal`, log)
  db.close()
})

it('trusts a log that is whole, and one that ends early', () => {
  expect(isLogSuspect(log)).toBe(false)
  truncateSync(log, 32 + 5 * FRAME + 100)
  expect(isLogSuspect(log)).toBe(false)
  truncateSync(log, 0)
  expect(isLogSuspect(log)).toBe(false)
  expect(isLogSuspect(`${log}-not-there`)).toBe(false)
})

it.each([
  ['its header', 20],
  ['the page of its third frame', 32 + 2 * FRAME + 24 + 1000],
  ['the salt of its third frame', 32 + 2 * FRAME + 8],
])('doubts a log in which a byte of %s was changed', (_, at) => {
  expect(statSync(log).size).toBeGreaterThan(at)
  const bytes = readFileSync(log)
  bytes[at]! ^= 0x10
  writeFileSync(log, bytes)
  expect(isLogSuspect(log)).toBe(true)
})
