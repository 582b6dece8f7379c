import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { Checkpointer, openDatabase } from '../../../core/db/index.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

it('moves the log into the database while it is in use, and leaves none behind', async () => {
  const dir = path.join(await temporaryFolder(), 'library')
  const { db, close } = openDatabase(dir, { readOnly: false, log: silent })
  const bytes = () => statSync(db.name).size
  const warnings: string[] = []
  const checkpointer = new Checkpointer(db, { ...silent, warn: (message) => void warnings.push(message) })
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE much (data BLOB) STRICT')
  const insert = db.prepare('INSERT INTO much VALUES (?)')
  insert.run(Buffer.alloc(2_000_000, 1))
  const before = bytes()

  checkpointer.checkpointSoon()
  for (const end = performance.now() + 5000; bytes() === before && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(bytes()).toBeGreaterThan(before + 1_900_000)
  insert.run(Buffer.alloc(1000, 2))
  await checkpointer.close()
  expect(db.prepare('SELECT COUNT(*) FROM much').pluck().get()).toBe(2)
  close()
  expect(existsSync(`${db.name}-wal`)).toBe(false)
  expect(warnings).toEqual([])
})
