import { statfsSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { LucidexError } from '../contract/index.ts'
import { isDamage } from './check.ts'

/** With less room than this a disk counts as full: SQLite needs some for its log's index. */
const ROOM = 256 * 1024

/** What went wrong with the catalog `file` as a {@link LucidexError}; anything else is returned as it is. */
export function databaseFailure(thrown: unknown, file: string): unknown {
  if (thrown instanceof Database.SqliteError) {
    const extra = { path: file, cause: thrown }
    if (thrown.code === 'SQLITE_FULL') return new LucidexError('DISK_FULL', 'No room left on the disk for the library', extra)
    if (isDamage(thrown)) {
      return new LucidexError('LIBRARY_CORRUPT', `The library is damaged: ${thrown.message}`, extra)
    }
    if (thrown.code.startsWith('SQLITE_IOERR')) {
      return isFull(file)
        ? new LucidexError('DISK_FULL', 'No room left on the disk for the library', extra)
        : new LucidexError('FILE_NOT_WRITABLE', `The disk of the library does not answer: ${thrown.message}`, extra)
    }
    if (thrown.code.startsWith('SQLITE_BUSY')) return new LucidexError('LIBRARY_IN_USE', 'Another process holds the library', extra)
    if (thrown.code.startsWith('SQLITE_READONLY') || thrown.code.startsWith('SQLITE_CANTOPEN') || thrown.code.startsWith('SQLITE_PERM')) {
      return new LucidexError('FILE_NOT_WRITABLE', `The library cannot be opened: ${thrown.message}`, extra)
    }
    return thrown
  }
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new LucidexError('FILE_NOT_WRITABLE', `The library cannot be kept here: ${(thrown as Error).message}`, {
      path: file,
      cause: thrown,
    })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LucidexError('DISK_FULL', 'No room left on the disk for the library', { path: file, cause: thrown })
  return thrown
}

function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path.dirname(file))
    return bavail * bsize < ROOM
  } catch {
    return false
  }
}
