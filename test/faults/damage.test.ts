import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it } from 'vitest'
import { backUpNow } from '../../core/db/backup.ts'
import { openDatabase } from '../../core/db/index.ts'
import { createRandom, type Random } from '../../core/random.ts'
import { pagesOf, scribble } from '../support/catalog.ts'
import { silent } from '../support/library.ts'
import { Album } from './support/album.ts'
import { compare, finishAndLook, indexAll, openEngine, unsoundness } from './support/look.ts'
import { Victim } from './support/process.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'

const PAGE = 4096

let album: Album
let album2: Album
let library: string
let file: string
/** Copies of a library of the one album that is whole, and of one of the other whose process was killed. */
let whole: string
let killed: string

beforeAll(async () => {
  const dir = await realpath(await mkdtemp(path.join(tmpdir(), 'lucidex-test-')))
  library = path.join(dir, 'library')
  file = path.join(library, 'lucidex.db')
  whole = path.join(dir, 'whole')
  killed = path.join(dir, 'killed')
  album = await Album.create(path.join(dir, 'pictures'), 24)
  await finishAndLook(library, album.folder)
  rememberDecisions()
  await cp(library, whole, { recursive: true })

  await rm(library, { recursive: true })
  album2 = await Album.create(path.join(dir, 'pictures2'), 24, 2)
  await finishAndLook(library, album2.folder)
  await album2.change(6)
  const victim = new Victim('index', [library, album2.folder])
  await victim.says('done')
  await victim.kill()
  if (!existsSync(`${file}-wal`)) throw new Error('A killed process leaves its log')
  await cp(library, killed, { recursive: true })
  return () => rm(dir, { recursive: true })
})

/** Puts into the library, and into its backup, what no picture can tell. */
function rememberDecisions(): void {
  const database = openDatabase(library, { readOnly: false, log: silent })
  const [a, b] = database.db.prepare<[], number>(`SELECT id FROM image ORDER BY id`).pluck().all()
  database.db.prepare(`INSERT INTO decision (a, b, verdict, made_at) VALUES (?, ?, 'not-duplicate', 1)`).run(a, b)
  database.db.prepare(`INSERT INTO setting (name, value) VALUES ('kept', '"as it was"')`).run()
  backUpNow(library, database.db, Date.now())
  database.close()
}

/** Thumbnails by their image's content, and what else must outlive damage. */
function contents() {
  const db = new Database(file, { readonly: true })
  const thumbnails = db
    .prepare(`SELECT content_hash, data FROM thumbnail JOIN image ON image.id = image ORDER BY content_hash`)
    .raw()
    .all() as [string, Buffer][]
  const decisions = db
    .prepare(
      `SELECT min(x.content_hash, y.content_hash), max(x.content_hash, y.content_hash), verdict FROM decision
       JOIN image x ON x.id = a JOIN image y ON y.id = b`,
    )
    .raw()
    .all()
  const rest = ['SELECT path FROM folder', `SELECT value FROM setting WHERE name = 'kept'`].map((sql) => db.prepare(sql).raw().all())
  db.close()
  return { thumbnails: new Map(thumbnails.map(([hash, data]) => [hash, data.toString('base64')])), kept: { decisions, rest } }
}

/** Opens the damaged library as a person does, lets it finish, and compares all of it with what it was. */
async function openDamaged(before: ReturnType<typeof contents>, seed: number): Promise<{ findings: Findings; isRepaired: boolean }> {
  const damaged = readFileSync(file)
  const findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
  const engine = await openEngine(library)
  const notices: string[] = []
  engine.on('notice', ({ error }) => notices.push(error?.code ?? ''))
  await indexAll(engine)
  await compare(engine, album.folder, findings, { seed })
  await engine.close()
  findings.unsound.push(...unsoundness(library))
  const after = contents()
  if (JSON.stringify(after.kept) !== JSON.stringify(before.kept)) findings.lost.push(`what was decided: ${JSON.stringify(after.kept)}`)
  for (const [hash, data] of before.thumbnails) if (after.thumbnails.get(hash) !== data) findings.wrong.push(`thumbnail of ${hash}`)
  const aside = readdirSync(library).filter((name) => /\.db\.damaged-[^.]*(?<!-wal)$/.test(name))
  const isRepaired = aside.length > 0
  // The damaged file is kept as it was, and a person is told.
  if (isRepaired && !readFileSync(path.join(library, aside[0]!)).equals(damaged)) findings.lost.push('the damaged file')
  if (isRepaired !== notices.includes('LIBRARY_CORRUPT')) findings.unsound.push(`told of ${notices.join()}`)
  return { findings, isRepaired }
}

async function restore(copy: string): Promise<void> {
  await rm(library, { recursive: true })
  await cp(copy, library, { recursive: true })
}

const pick = (random: Random, from: number, to: number) => from + random.integer(to - from + 1)

describe('a damaged database', () => {
  it('with a damaged log, after its process was killed, holds what was and what is', async () => {
    const tally = new Tally('log overwritten')
    const random = createRandom(5)
    for (let run = 0; run < times(1, 40); run++) {
      await restore(killed)
      const frames = Math.floor((statSync(`${file}-wal`).size - 32) / (PAGE + 24))
      // Every tenth time its header, else a frame.
      if (run % 10 === 9) scribble(`${file}-wal`, [1], random, 32)
      else scribble(`${file}-wal`, [1 + random.integer(frames)], random, PAGE + 24)
      tally.add(await finishAndLook(library, album2.folder, { seed: run }))
    }
    expect(tally.finish()).toEqual(NOTHING)
  })

  it.each([
    ['pages of it', (random: Random, pages: number) => Array.from({ length: pick(random, 1, 3) }, () => pick(random, 2, pages))],
    ['its first page', () => [1]],
    ['half of it', (random: Random, pages: number) => Array.from({ length: pages / 2 }, () => pick(random, 2, pages))],
  ])('overwritten by random bytes, %s, is made good', async (what, choose) => {
    await restore(whole)
    const before = contents()
    const tally = new Tally(`database: ${what} overwritten`)
    const random = createRandom(what.length)
    let repairs = 0
    for (let run = 0; run < times(1, 40); run++) {
      await restore(whole)
      scribble(file, choose(random, statSync(file).size / PAGE), random)
      const { findings, isRepaired } = await openDamaged(before, run)
      if (isRepaired) repairs++
      tally.add(findings)
    }
    expect(repairs).toBeGreaterThan(0)
    expect(tally.finish()).toEqual(NOTHING)
  })

  it('that breaks while it is open is told of, and made good at the next start', async () => {
    await restore(whole)
    const before = contents()
    const engine = await openEngine(library)
    const notices: string[] = []
    engine.on('notice', ({ message, error }) => notices.push(`${error?.code}: ${message}`))
    const { items } = await engine.api.library.items({})
    scribble(file, pagesOf(file, 'thumbnail'), createRandom(6))
    const statuses: number[] = []
    for (const { url } of items) statuses.push((await engine.media(url)).status)
    expect(statuses).toContain(404)
    expect(notices).toEqual([expect.stringMatching(/^LIBRARY_CORRUPT: .*repaired when Lucidex is started again/)])
    expect((await engine.api.library.status()).integrity).toBe('corrupt')
    await engine.close()
    const tally = new Tally('database broken while open')
    const { findings, isRepaired } = await openDamaged(before, 1)
    expect(isRepaired).toBe(true)
    tally.add(findings)
    expect(tally.finish()).toEqual(NOTHING)
  })
})
