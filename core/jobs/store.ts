import type { Database } from 'better-sqlite3'
import type { DenoiseResult, Job, JobReport, JobSpec } from '../contract/index.ts'
import type { ExportJournal } from '../denoise/journal.ts'

export interface StoredJob {
  job: Job
  spec: JobSpec
  report: Omit<JobReport, 'job'>
}

interface Row {
  id: number
  kind: string
  title: string
  spec: string
  state: string
  done: number
  failed: number
  total: number | null
  started_at: number
  finished_at: number | null
  error: string | null
  report: string | null
}

/** Finished jobs kept in the catalog; older ones are forgotten. */
const KEPT = 50

/** Jobs in the catalog, so that a job cut short by a crash comes back as `interrupted`. */
export class JobStore {
  readonly #insert
  readonly #update
  readonly #remove
  readonly #journal

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO job (kind, title, spec, state, done, failed, total, started_at) VALUES (@kind, @title, @spec, @state, 0, 0, NULL, @startedAt)`,
    )
    this.#update = db.prepare(
      `UPDATE job SET state = @state, done = @done, failed = @failed, total = @total, finished_at = @finishedAt, error = @error, report = @report WHERE id = @id`,
    )
    this.#remove = db.prepare(`DELETE FROM job WHERE id = ?`)
    this.#journal = {
      results: db.prepare(`SELECT result FROM job_result WHERE job = ? AND temporary IS NULL ORDER BY id`).pluck(),
      page: db.prepare(`SELECT result FROM job_result WHERE job = ? AND temporary IS NULL ORDER BY id LIMIT ? OFFSET ?`).pluck(),
      count: db.prepare(`SELECT count(*) FROM job_result WHERE job = ? AND temporary IS NULL`).pluck(),
      unfinished: db.prepare(`SELECT result, temporary FROM job_result WHERE job = ? AND temporary IS NOT NULL ORDER BY id`),
      put: db.prepare(`INSERT OR REPLACE INTO job_result (job, input, temporary, result) VALUES (?, ?, ?, ?)`),
      forget: db.prepare(`DELETE FROM job_result WHERE job = ? AND input = ?`),
    }
    // These live with their window; what else was under way when the engine stopped can be resumed.
    db.prepare(`DELETE FROM job WHERE kind IN ('denoise-preview', 'denoise-confidence', 'measure')`).run()
    db.prepare(
      `DELETE FROM job WHERE state IN ('done', 'cancelled') OR id NOT IN (SELECT id FROM job ORDER BY id DESC LIMIT ${KEPT})`,
    ).run()
    db.prepare(`UPDATE job SET state = 'interrupted' WHERE state IN ('queued', 'running', 'paused')`).run()
    this.all = () => (db.prepare(`SELECT * FROM job ORDER BY id`).all() as Row[]).map(fromRow)
  }

  readonly all: () => StoredJob[]

  insert(spec: JobSpec, job: Omit<Job, 'id'>): number {
    const { lastInsertRowid } = this.#insert.run({
      kind: spec.kind,
      title: job.title,
      spec: JSON.stringify(spec),
      state: job.state,
      startedAt: job.startedAt,
    })
    return Number(lastInsertRowid)
  }

  save({ job, report }: StoredJob): void {
    this.#update.run({
      id: job.id,
      state: job.state,
      done: job.done,
      failed: job.failed,
      total: job.total,
      finishedAt: job.finishedAt,
      error: job.error ? JSON.stringify(job.error) : null,
      report: JSON.stringify(report),
    })
  }

  remove(jobId: number): void {
    this.#remove.run(jobId)
  }

  /** A job's journal: every entry is one statement, so that a killed process loses none. */
  journal(jobId: number): ExportJournal {
    const { results, page, count, unfinished, put, forget } = this.#journal
    const parse = (text: unknown) => JSON.parse(text as string) as DenoiseResult
    return {
      results: () => results.all(jobId).map(parse),
      page: (offset, limit) => ({ total: count.get(jobId) as number, results: page.all(jobId, limit, offset).map(parse) }),
      intend: (result, temporary) => void put.run(jobId, result.input, temporary, JSON.stringify(result)),
      finish: (result) => void put.run(jobId, result.input, null, JSON.stringify(result)),
      unfinished: () =>
        (unfinished.all(jobId) as { result: string; temporary: string }[]).map(({ result, temporary }) => ({
          result: parse(result),
          temporary,
        })),
      forget: (input) => void forget.run(jobId, input),
    }
  }
}

function fromRow(row: Row): StoredJob {
  const spec = JSON.parse(row.spec) as JobSpec
  return {
    spec,
    report: row.report ? (JSON.parse(row.report) as StoredJob['report']) : {},
    job: {
      id: row.id,
      kind: spec.kind,
      title: row.title,
      state: row.state as Job['state'],
      done: row.done,
      failed: row.failed,
      total: row.total,
      unit: unitOf(spec),
      rate: null,
      etaMs: null,
      current: null,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      ...(row.error !== null && { error: JSON.parse(row.error) }),
    },
  }
}

const UNITS: Record<JobSpec['kind'], Job['unit']> = {
  index: 'files',
  verify: 'checks',
  'export-library': 'pictures',
  'import-library': 'pictures',
  compact: 'steps',
  'denoise-preview': 'tiles',
  'denoise-confidence': 'tiles',
  denoise: 'files',
  measure: 'steps',
}

export function unitOf({ kind }: JobSpec): Job['unit'] {
  return UNITS[kind]
}
