import type { Database } from 'better-sqlite3'
import { LucidexError } from '../contract/index.ts'

export interface Migration {
  /** What `PRAGMA user_version` says once it is applied: 1, 2, 3 … */
  version: number
  sql: string
}

/** The version of the database's tables; 0 when it is empty. */
export function versionOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

/** Errors: LIBRARY_FROM_FUTURE when the database was written by a newer version of Lucidex. */
export function refuseFuture(db: Database, migrations: readonly Migration[]): void {
  const version = versionOf(db)
  if (version > migrations.length) {
    throw new LucidexError(
      'LIBRARY_FROM_FUTURE',
      `This library was written by a newer version of Lucidex (${version}; this one knows ${migrations.length})`,
      {
        path: db.name,
        details: { version, known: migrations.length },
      },
    )
  }
}

/**
 * Brings the tables up to the last migration: all that is missing in one transaction, or nothing of it.
 * `beforehand` is called when there is something to lose. Errors: LIBRARY_FROM_FUTURE.
 */
export function migrate(db: Database, migrations: readonly Migration[], beforehand: () => void): void {
  refuseFuture(db, migrations)
  const version = versionOf(db)
  if (version === migrations.length) return
  if (version > 0) beforehand()
  // Tables may be rebuilt in a migration; references are checked as a whole at its end.
  db.pragma('foreign_keys = OFF')
  try {
    db.transaction(() => {
      migrateTo(db, migrations, migrations.length)
      const broken = db.pragma('foreign_key_check') as unknown[]
      if (broken.length > 0)
        throw new LucidexError('LIBRARY_CORRUPT', `${broken.length} rows of the library refer to rows that are not there`, {
          path: db.name,
        })
    }).immediate()
  } finally {
    db.pragma('foreign_keys = ON')
  }
}

/** The migrations up to `version` that the database does not have yet. The transaction is the caller's. */
export function migrateTo(db: Database, migrations: readonly Migration[], version: number): void {
  for (const migration of migrations) {
    if (migration.version <= versionOf(db) || migration.version > version) continue
    db.exec(migration.sql)
    db.pragma(`user_version = ${migration.version}`)
  }
}
