import { createHash } from 'node:crypto'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import { backUpNow, isWhole, listBackups } from '../../core/db/backup.ts'
import { openDatabase, Upkeep, type LibraryDatabase } from '../../core/db/index.ts'
import { versionOf } from '../../core/db/migrate.ts'
import { migrations } from '../../core/db/migrations/index.ts'
import { createRandom } from '../../core/random.ts'
import { fillCatalog, pagesOf, scribble } from '../support/catalog.ts'
import { settled } from '../support/engine.ts'
import { silent } from '../support/library.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { Album } from './support/album.ts'
import { finishAndLook, indexAll, openEngine, unsoundness } from './support/look.ts'
import { sleep, Victim } from './support/process.ts'
import { tomorrow } from './support/rebuilding.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'
import { compareWithScan, openIndex } from './support/vectors.ts'

let dir: string
beforeEach(async () => {
  dir = await temporaryFolder()
})

/**
 * Starts the program again and again and kills it at a random moment of its work; `look` tells after each what it
 * finds. Runs in which the program was done before it was killed do not count.
 */
async function killAgainAndAgain(
  fault: string,
  {
    runs,
    before,
    start,
    look,
  }: { runs: number; before?: () => Promise<unknown>; start: () => Victim; look: (run: number) => Promise<Partial<Findings>> },
): Promise<Findings> {
  const tally = new Tally(fault)
  const random = createRandom(runs)
  await before?.()
  const whole = start()
  await whole.says('ready')
  const begun = performance.now()
  await whole.says('done')
  let span = performance.now() - begun
  await whole.ends()
  for (let attempt = 0; tally.runs < runs; attempt++) {
    expect(attempt, 'attempts').toBeLessThan(runs * 4)
    await before?.()
    const victim = start()
    await victim.says('ready')
    await sleep(random.next() * span)
    const isDone = victim.said.includes('done')
    if ((await victim.kill()) && !isDone) tally.add(await look(tally.runs))
    else span *= 0.9
  }
  return tally.finish()
}

describe('kill -9', () => {
  it('while pictures are indexed', async () => {
    const library = path.join(dir, 'library')
    const album = await Album.create(path.join(dir, 'pictures'), 30)
    expect(
      await killAgainAndAgain('kill -9 while indexing', {
        runs: times(1, 50),
        before: () => album.change(14),
        start: () => new Victim('index', [library, album.folder]),
        look: (run) => finishAndLook(library, album.folder, { seed: run }),
      }),
    ).toEqual(NOTHING)
  })

  it('while the graph of the vectors is built, written, read and compacted', async () => {
    const library = path.join(dir, 'library')
    let seed = 0
    expect(
      await killAgainAndAgain('kill -9 while the vector graph is written', {
        runs: times(1, 50),
        start: () => new Victim('vectors', [library, String(++seed)]),
        async look(run) {
          const database = openDatabase(library, { readOnly: false, log: silent })
          const index = await openIndex(database)
          await index.settled()
          const findings = await compareWithScan(database, index, run)
          await index.close()
          database.close()
          findings.unsound.push(...unsoundness(library))
          return findings
        },
      }),
    ).toEqual(NOTHING)
  })

  it('while the tables are brought up to a later version', async () => {
    const library = path.join(dir, 'library')
    const before = await template(library, 2000)
    expect(
      await killAgainAndAgain('kill -9 while migrating', {
        runs: times(1, 50),
        before: before.restore,
        start: () => new Victim('migrate', [library]),
        look: async () => {
          // Either of the two versions, and every row in both.
          const version = versionIn(library)
          const opened = openDatabase(library, {
            readOnly: false,
            log: silent,
            ...(version > migrations.length && { migrations: tomorrow }),
          })
          const findings = before.compare(opened)
          if (version !== migrations.length && version !== tomorrow.length) findings.unsound!.push(`version ${version}`)
          opened.close()
          openDatabase(library, { readOnly: false, log: silent, migrations: tomorrow }).close()
          findings.unsound!.push(...unsoundness(library))
          return findings
        },
      }),
    ).toEqual(NOTHING)
  })

  it('while a library is imported: all of it is there, or nothing', async () => {
    // Three pages of them: what is imported in one transaction cannot be half there.
    const album = await Album.create(path.join(dir, 'pictures'), 250)
    const library = path.join(dir, 'library')
    const file = path.join(dir, 'exported.lucidex')
    const source = await openEngine(path.join(dir, 'source'))
    await source.api.library.addFolder({ path: album.folder })
    await indexAll(source)
    await settled(source, (await source.api.jobs.start({ kind: 'export-library', path: file })).jobId)
    await source.close()
    expect(
      await killAgainAndAgain('kill -9 while importing', {
        runs: times(1, 50),
        before: () => rm(library, { recursive: true, force: true }),
        start: () => new Victim('import', [library, file]),
        async look(run) {
          const engine = await openEngine(library)
          const { total } = await engine.api.library.items({ sort: 'name' })
          const { files } = await engine.api.library.status()
          const { jobId } = await engine.api.jobs.start({ kind: 'import-library', path: file })
          await settled(engine, jobId)
          await engine.close()
          const findings = await finishAndLook(library, album.folder, { seed: run })
          if (total !== files || (total !== 0 && total !== 250))
            findings.unsound.push(`${files} files and ${total} pictures of an import cut short`)
          return findings
        },
      }),
    ).toEqual(NOTHING)
  })

  it('while the room of deleted pictures is given back and a backup is made', async () => {
    const library = path.join(dir, 'library')
    const remove = `DELETE FROM file WHERE image > 1000; DELETE FROM image WHERE id > 1000`
    const before = await template(library, 2000, { change: (db) => db.exec(remove) })
    expect(
      await killAgainAndAgain('kill -9 while compacting and backing up', {
        runs: times(1, 50),
        before: before.restore,
        start: () => new Victim('keep', [library]),
        look: () => keepAndCompare(library, before),
      }),
    ).toEqual(NOTHING)
  })

  it('while a damaged library is repaired', async () => {
    const library = path.join(dir, 'library')
    // Files whose table was not whole are to be looked at again: their state is another.
    const before = await template(library, 1000, { except: 'state' })
    expect(
      await killAgainAndAgain('kill -9 while repairing', {
        runs: times(1, 50),
        async before() {
          await before.restore()
          const file = path.join(library, 'lucidex.db')
          scribble(file, pagesOf(file, 'file_library_name').slice(-2), createRandom(1))
        },
        start: () => new Victim('keep', [library]),
        look: () => keepAndCompare(library, before),
      }),
    ).toEqual(NOTHING)
  })
})

/** A catalog to begin each run with, and what it must hold after. */
async function template(
  library: string,
  images: number,
  { change, except }: { change?: (db: Database.Database) => void; except?: string } = {},
) {
  const database = openDatabase(library, { readOnly: false, log: silent })
  fillCatalog(database.db, images)
  change?.(database.db)
  const tables = ['folder', 'image', 'file', 'thumbnail', 'vector', 'decision', 'setting', 'job', 'job_result']
  const columns = Object.fromEntries(tables.map((table) => [table, columnsOf(database.db, table, except)]))
  const digest = (db: Database.Database, table: string) => {
    const hash = createHash('sha256')
    for (const row of db.prepare(`SELECT ${columns[table]} FROM ${table} ORDER BY rowid`).raw().safeIntegers().iterate()) {
      for (const value of row as unknown[]) hash.update(Buffer.isBuffer(value) ? value : String(value)).update('|')
    }
    return hash.digest('hex')
  }
  const awaited = Object.fromEntries(tables.map((table) => [table, digest(database.db, table)]))
  database.close()
  const upkept = openDatabase(library, { readOnly: false, log: silent })
  backUpNow(library, upkept.db, Date.now() - 48 * 3600_000)
  upkept.close()
  const copy = `${library}-template`
  await cp(library, copy, { recursive: true })
  return {
    async restore() {
      await rm(library, { recursive: true, force: true })
      await cp(copy, library, { recursive: true })
    },
    /** Tables that are not as they were count as lost. */
    compare: ({ db }: LibraryDatabase): Partial<Findings> => ({
      lost: tables.filter((table) => digest(db, table) !== awaited[table]).map((table) => `rows of ${table}`),
      unsound: [],
    }),
  }
}

async function keepAndCompare(library: string, before: Awaited<ReturnType<typeof template>>): Promise<Partial<Findings>> {
  const database = openDatabase(library, { readOnly: false, log: silent })
  const upkeep = new Upkeep(database, { log: silent, now: Date.now })
  await upkeep.run()
  await upkeep.close()
  const findings = before.compare(database)
  if (listBackups(library).some((backup) => !isWhole(backup))) findings.unsound!.push('a broken backup')
  database.close()
  findings.unsound!.push(...unsoundness(library))
  return findings
}

function columnsOf(db: Database.Database, table: string, except?: string): string {
  const columns = db.pragma(`table_info('${table}')`) as { name: string }[]
  return columns
    .map(({ name }) => name)
    .filter((name) => name !== except)
    .join(', ')
}

/** Leaves all as the killed process did, unless it left a hot journal: without rolling that back nothing can be read. */
function versionIn(library: string, { readonly = true } = {}): number {
  const db = new Database(path.join(library, 'lucidex.db'), { readonly })
  try {
    return versionOf(db)
  } catch (thrown) {
    if (!readonly || (thrown as { code?: string }).code !== 'SQLITE_READONLY_ROLLBACK') throw thrown
    return versionIn(library, { readonly: false })
  } finally {
    db.close()
  }
}
