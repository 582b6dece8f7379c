import path from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../../core/db/index.ts'
import { versionOf } from '../../core/db/migrate.ts'
import { migrations } from '../../core/db/migrations/index.ts'
import { fillCatalog } from '../support/catalog.ts'
import { silent } from '../support/library.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { unsoundness } from './support/look.ts'

const versions = migrations.map(({ version }) => version)

it.each(versions)('a library of version %i is brought up with every row of it', async (version) => {
  const dir = path.join(await temporaryFolder(), 'library')
  const old = openDatabase(dir, { readOnly: false, log: silent, migrations: migrations.slice(0, version) })
  expect(versionOf(old.db)).toBe(version)
  fillCatalog(old.db, 50)
  const tables = old.db
    .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all()
  const columns = (table: string) => (old.db.pragma(`table_info('${table}')`) as { name: string }[]).map(({ name }) => name).join(', ')
  const queries = tables.map((table) => `SELECT ${columns(table)} FROM ${table} ORDER BY rowid`)
  const before = queries.map((sql) => old.db.prepare(sql).safeIntegers().all())
  old.close()

  const now = openDatabase(dir, { readOnly: false, log: silent })
  expect(versionOf(now.db)).toBe(migrations.length)
  for (const [at, sql] of queries.entries()) expect(now.db.prepare(sql).safeIntegers().all(), sql).toEqual(before[at])
  now.close()
  expect(unsoundness(dir)).toEqual([])
})
