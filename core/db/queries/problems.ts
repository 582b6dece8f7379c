import type { Database } from 'better-sqlite3'
import type { ErrorCode, ProblemQuery } from '../../contract/index.ts'
import type { FileRow } from './files.ts'

export type ProblemQueries = ReturnType<typeof problemQueries>

const SHOWN = `state = 'failed' AND folder IN (SELECT id FROM folder WHERE removed_at IS NULL)`

/** The files that failed. They are few, and have an index of their own. */
export function problemQueries(db: Database) {
  function where({ folderId, code, ignored }: Partial<ProblemQuery>): { sql: string; values: (string | number)[] } {
    const values: (string | number)[] = []
    let sql = `${SHOWN} AND ignored ${ignored ? '>' : '='} 0`
    if (folderId !== undefined) {
      sql += ' AND folder = ?'
      values.push(folderId)
    }
    if (code !== undefined) {
      sql += ' AND error_code = ?'
      values.push(code)
    }
    return { sql, values }
  }
  const retry = db.prepare<[number, number]>(
    `UPDATE file SET state = 'pending', error_code = NULL, error_message = NULL, ignored = 0, seen_at = ? WHERE id = ? AND ${SHOWN}`,
  )

  return {
    page(query: ProblemQuery & { limit: number; offset: number }): FileRow[] {
      const { sql, values } = where(query)
      return db
        .prepare<unknown[], FileRow>(`SELECT * FROM file WHERE ${sql} ORDER BY path LIMIT ? OFFSET ?`)
        .all(...values, query.limit, query.offset)
    },
    /** How many there are of each code, whichever is asked for, the most frequent first. */
    codes({ folderId, ignored }: ProblemQuery): { code: ErrorCode; count: number }[] {
      const { sql, values } = where({ folderId, ignored })
      return db
        .prepare<unknown[], { code: ErrorCode; count: number }>(
          `SELECT COALESCE(error_code, 'INTERNAL') AS code, COUNT(*) AS count FROM file WHERE ${sql} GROUP BY 1 ORDER BY 2 DESC, 1`,
        )
        .all(...values)
    },
    /** Ids of those that are listed, of all codes or of one. */
    ids(code?: ErrorCode): number[] {
      const { sql, values } = where({ code })
      return db
        .prepare<unknown[], number>(`SELECT id FROM file WHERE ${sql} ORDER BY id`)
        .pluck()
        .all(...values)
    },
    /** Lets the next indexing read it. Returns whether it was a failed file of the library. */
    retry: (file: number, now: number) => retry.run(now, file).changes === 1,
  }
}
