import Database from 'better-sqlite3'
import { LucidexError } from '../contract/index.ts'

/** What went wrong with the catalog `path` as a {@link LucidexError}; anything else is returned as it is. */
export function databaseFailure(thrown: unknown, path: string): unknown {
  if (thrown instanceof Database.SqliteError) {
    const extra = { path, cause: thrown }
    if (thrown.code === 'SQLITE_FULL') return new LucidexError('DISK_FULL', 'No room left on the disk for the library', extra)
    if (thrown.code === 'SQLITE_NOTADB' || thrown.code.startsWith('SQLITE_CORRUPT')) {
      return new LucidexError('LIBRARY_CORRUPT', `The library is damaged: ${thrown.message}`, extra)
    }
    if (thrown.code.startsWith('SQLITE_BUSY')) return new LucidexError('LIBRARY_IN_USE', 'Another process holds the library', extra)
    if (thrown.code.startsWith('SQLITE_READONLY') || thrown.code.startsWith('SQLITE_CANTOPEN') || thrown.code.startsWith('SQLITE_PERM')) {
      return new LucidexError('FILE_NOT_WRITABLE', `The library cannot be opened: ${thrown.message}`, extra)
    }
    return thrown
  }
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new LucidexError('FILE_NOT_WRITABLE', `The library cannot be kept here: ${(thrown as Error).message}`, { path, cause: thrown })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LucidexError('DISK_FULL', 'No room left on the disk for the library', { path, cause: thrown })
  return thrown
}
