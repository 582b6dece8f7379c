import path from 'node:path'
import Database from 'better-sqlite3'
import { LucidexError } from '../contract/index.ts'

/** Held by name: were the object swept away as garbage, the lock would go with it. */
const held = new Set<Database.Database>()

/**
 * "One process writes a library": takes the writer's lock or throws LIBRARY_IN_USE, and returns the
 * function that gives it back. The lock is an exclusive transaction on an empty database beside the
 * catalog: the system frees it when the process ends in whatever way, so that it cannot go stale.
 */
export function lockLibrary(dir: string): () => void {
  // A process that is just closing gets a moment.
  const lock = new Database(path.join(dir, 'lucidex.lock'), { timeout: 300 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY')) {
      throw new LucidexError('LIBRARY_IN_USE', 'Another Lucidex has this library open for writing', { path: dir, cause })
    }
    throw cause
  }
  held.add(lock)
  return () => {
    lock.close()
    held.delete(lock)
  }
}
