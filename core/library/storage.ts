import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { LibraryStorage } from '../contract/index.ts'
import { backupFolder } from '../db/backup.ts'
import { isDamage } from '../db/check.ts'
import type { LibraryDatabase } from '../db/open.ts'
import type { StorageQueries } from '../db/queries/storage.ts'

/** Where a library's bytes are. `snapshot`: of the vector index. */
export function storageOf(database: LibraryDatabase, queries: StorageQueries, snapshot: number): LibraryStorage {
  return { ...databaseBytes(database, queries), snapshot, backups: backupBytes(database) }
}

/** Of a damaged database only its whole size can be told. */
function databaseBytes(database: LibraryDatabase, queries: StorageQueries): ReturnType<StorageQueries['bytes']> {
  const whole = () => ({ catalog: database.bytes(), thumbnails: 0, vectors: 0, free: 0 })
  if (database.integrity !== 'ok') return whole()
  try {
    return queries.bytes()
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    database.failure(thrown)
    return whole()
  }
}

/** Of the backups, and of damaged databases that were set aside. */
function backupBytes({ dir, db }: LibraryDatabase): number {
  const damaged = `${path.basename(db.name)}.damaged-`
  return bytesIn(backupFolder(dir), () => true) + bytesIn(dir, (name) => name.startsWith(damaged))
}

function bytesIn(folder: string, wanted: (name: string) => boolean): number {
  try {
    return readdirSync(folder)
      .filter(wanted)
      .reduce((sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  } catch {
    return 0
  }
}
