/** Looks at a library after a fault: is it sound, does it show every picture once, does it find each. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import Database from 'better-sqlite3'
import { createEngine, type Engine } from '../../../core/engine.ts'
import { nodeDeps } from '../../../core/hosts/node.ts'
import type { EngineDeps, Log } from '../../../core/deps.ts'
import { createRandom } from '../../../core/random.ts'
import { MODELS_DIR, settled } from '../../support/engine.ts'
import { silent } from '../../support/library.ts'
import { times, type Findings } from './tally.ts'

/** What a library's folder may hold, and its folder of backups. */
const BELONGS = /^(lucidex\.(db|lock)|lucidex\.db\.damaged-[^.]+|backups|vectors\.json|vectors-[0-9a-f]+\.(hnsw|rows))$/
const IS_BACKUP = /^catalog-.*\.backup$/

/** The whole engine; pictures are decoded in its own process, which begins sooner. */
export function openEngine(libraryDir: string, { log = silent, ...deps }: Partial<EngineDeps> & { log?: Log } = {}): Promise<Engine> {
  const config = { libraryDir, modelsDir: MODELS_DIR, version: 'test', host: 'node' as const, watch: false, threads: 2 }
  const { spawnInferenceWorker } = nodeDeps(log)
  return createEngine(config, { log, spawnInferenceWorker, ...deps })
}

/** Indexes everything and answers the job's report. Throws the job's error when it failed as a whole. */
export async function indexAll(engine: Engine) {
  const { jobId } = await engine.api.jobs.start({ kind: 'index' })
  const job = await settled(engine, jobId)
  if (job.state !== 'done') throw Object.assign(new Error(job.error?.message ?? job.state), job.error)
  return (await engine.api.jobs.report({ jobId })).index!
}

/**
 * Opens the library as its next user would, lets it finish what is due, and compares it with the pictures in
 * `folder`: each is there once, and (a sample of `searched`) each is found first when it is searched for.
 */
export async function finishAndLook(libraryDir: string, folder: string, { searched = times(3, 8), seed = 1 } = {}): Promise<Findings> {
  const engine = await openEngine(libraryDir)
  const findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
  try {
    if ((await engine.api.library.folders()).length === 0) await engine.api.library.addFolder({ path: folder })
    await indexAll(engine)
    await compare(engine, folder, findings, { searched, seed })
  } finally {
    await engine.close()
  }
  findings.unsound.push(...unsoundness(libraryDir))
  return findings
}

/** Compares what an indexed library shows and finds with the pictures in `folder`. */
export async function compare(
  engine: Engine,
  folder: string,
  findings: Findings,
  { searched = times(3, 8), seed = 1 } = {},
): Promise<void> {
  const root = await realpath(folder)
  const onDisk = new Map<string, string>()
  for (const name of readdirSync(root)) {
    const file = path.join(root, name)
    onDisk.set(
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    )
  }
  const { items } = await engine.api.library.items({ sort: 'name', limit: 500 })
  const shown = new Map<string, number>()
  for (const { id, state, name } of items.filter((item) => item.state !== 'missing')) {
    const { files, contentHash } = await engine.api.library.item({ id })
    for (const file of files.filter((file) => file.state !== 'missing')) {
      if (shown.has(file.path)) findings.doubled.push(`${file.path} is shown twice`)
      else if (!onDisk.has(file.path)) findings.doubled.push(`${file.path} is not there, and shown`)
      else if (onDisk.get(file.path) !== contentHash) findings.wrong.push(`${file.path} is shown with other content`)
      shown.set(file.path, id)
    }
    if (state !== 'indexed') findings.lost.push(`${name} is ${state}`)
  }
  for (const file of onDisk.keys()) if (!shown.has(file)) findings.lost.push(file)

  const random = createRandom(seed)
  const left = [...shown]
  for (let i = 0; i < searched && left.length > 0; i++) {
    const [file, id] = left.splice(random.integer(left.length), 1)[0]!
    const { results } = await engine.api.search.find({ source: { kind: 'path', path: file }, k: 3 })
    if (results[0]?.item.id !== id || results[0].relation !== 'same-file') findings.wrong.push(`${file} does not find itself`)
  }
}

/** What is wrong with a library that nobody has open: in its tables, between them, and beside them. */
export function unsoundness(libraryDir: string): string[] {
  const found: string[] = []
  const db = new Database(path.join(libraryDir, 'lucidex.db'), { readonly: true })
  const ids = (sql: string) => db.prepare<[], number>(sql).pluck().all()
  const complain = (what: string, rows: number[]) => found.push(...rows.map((id) => `${what} ${id}`))
  try {
    const integrity = db.pragma('integrity_check') as { integrity_check: string }[]
    found.push(...integrity.map((row) => row.integrity_check).filter((line) => line !== 'ok'))
    const broken = db.pragma('foreign_key_check') as { table: string; rowid: number; parent: string }[]
    found.push(...broken.map(({ table, rowid, parent }) => `${table} ${rowid} without its ${parent}`))
    complain('vector without image', ids(`SELECT id FROM vector WHERE image NOT IN (SELECT id FROM image)`))
    complain('thumbnail without image', ids(`SELECT image FROM thumbnail WHERE image NOT IN (SELECT id FROM image)`))
    const isRead = `SELECT image FROM file WHERE state = 'indexed' AND shown = 2`
    complain('image without vector', ids(`SELECT id FROM image WHERE id IN (${isRead}) AND id NOT IN (SELECT image FROM vector)`))
    complain('image without thumbnail', ids(`SELECT id FROM image WHERE id IN (${isRead}) AND id NOT IN (SELECT image FROM thumbnail)`))
    complain('file without image', ids(`SELECT id FROM file WHERE state = 'indexed' AND image IS NULL`))
    const shownTwice = `SELECT image FROM file WHERE shown = 2 GROUP BY image HAVING COUNT(*) > 1`
    complain('image shown by two files', ids(shownTwice))
  } finally {
    db.close()
  }
  found.push(...leftovers(libraryDir))
  return found
}

/** Files in a closed library's folder that belong to nothing. */
export function leftovers(libraryDir: string): string[] {
  const strangers = (folder: string, belongs: RegExp) => readdirSync(folder).filter((name) => !belongs.test(name))
  const backups = readdirSync(libraryDir).includes('backups') ? strangers(path.join(libraryDir, 'backups'), IS_BACKUP) : []
  return [...strangers(libraryDir, BELONGS), ...backups].map((name) => `the file ${name}`)
}
