import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, rename, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { LucidexError } from '../contract/errors.ts'
import { inSlices } from '../slices.ts'
import { readFailure, writeFailure } from './failures.ts'

/** Files beyond this are not read into memory: 1 GiB. */
export const MAX_FILE_BYTES = 1024 ** 3

/**
 * The bytes of a regular file, in one read. Errors: FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_EMPTY,
 * FILE_TOO_LARGE.
 */
export async function readBytes(path: string): Promise<Buffer> {
  try {
    // Non-blocking, so that a named pipe in a folder of pictures does not hang the scan.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const info = await file.stat()
      if (!info.isFile()) throw new LucidexError('FILE_NOT_READABLE', 'Not a regular file', { path })
      if (info.size === 0) throw new LucidexError('FILE_EMPTY', 'The file is empty', { path })
      if (info.size > MAX_FILE_BYTES) {
        throw new LucidexError(
          'FILE_TOO_LARGE',
          `The file has ${Math.round(info.size / 2 ** 20)} MiB, over the limit of ${MAX_FILE_BYTES / 2 ** 20}`,
          { path },
        )
      }
      const bytes = Buffer.allocUnsafeSlow(info.size)
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw readFailure(thrown, path)
  }
}

/** Bytes of a file held at a time while it is hashed. */
const HASH_CHUNK = 2 ** 20

/** SHA-256 of a regular file's bytes, hex, in bounded memory. Errors: FILE_NOT_FOUND, FILE_NOT_READABLE. */
export async function hashFile(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const info = await file.stat()
      if (!info.isFile()) throw new LucidexError('FILE_NOT_READABLE', 'Not a regular file', { path })
      const hash = createHash('sha256')
      const chunk = Buffer.allocUnsafeSlow(Math.min(HASH_CHUNK, Math.max(1, info.size)))
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
        if (bytesRead === 0) return hash.digest('hex')
        hash.update(chunk.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw readFailure(thrown, path)
  }
}

/** SHA-256, hex, computed in slices that do not hold the event loop. */
export async function hashBytes(...parts: Uint8Array[]): Promise<string> {
  const hash = createHash('sha256')
  for (const bytes of parts) await inSlices(bytes.length, (start, end) => hash.update(bytes.subarray(start, end)), 2 * 2 ** 20)
  return hash.digest('hex')
}

/** Of this machine: a folder may be shared by several. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** Whether a file's name is that of a temporary file whose process, on this machine, is no more. */
export function isLeftover(name: string): boolean {
  const [, host, pid] = /^\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name) ?? []
  if (host !== HOST) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (thrown) {
    // EPERM: it lives and belongs to someone else.
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

export interface WriteOptions {
  overwrite: boolean
  /** The file's times of access and modification, instead of now. */
  times?: { accessed: Date; modified: Date }
  /** Told the temporary file's path when it is complete on the disk, right before it gets its name. */
  beforeRename?(temporary: string): void
}

/** Writes the parts to `path`, whole or not at all, as {@link writeAtomic} does. */
export async function writeFileAtomic(path: string, parts: readonly Uint8Array[], options: WriteOptions): Promise<void> {
  await writeAtomic(path, options, async (temporary) => {
    const file = await open(temporary, 'wx')
    try {
      for (const part of parts) await file.writeFile(part)
    } finally {
      await file.close()
    }
  })
}

/**
 * Makes the file `path`, whole or not at all: `write` makes a temporary file in the same folder, which is
 * flushed to the disk, then renamed. Without `overwrite` an existing file is left alone (FILE_EXISTS).
 * Errors: FILE_EXISTS, FILE_NOT_WRITABLE, DISK_FULL, those of `write`.
 */
export async function writeAtomic(path: string, options: WriteOptions, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 50)}.${HOST}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
  try {
    try {
      await write(temporary)
      const file = await open(temporary, 'r+')
      try {
        if (options.times) await file.utimes(options.times.accessed, options.times.modified)
        await file.datasync()
      } finally {
        await file.close()
      }
      options.beforeRename?.(temporary)
      if (options.overwrite) await rename(temporary, path)
      else await moveToFreePath(temporary, path)
    } catch (thrown) {
      await unlink(temporary).catch(() => undefined)
      throw thrown
    }
  } catch (thrown) {
    throw (thrown as Error).name === 'AbortError' ? thrown : writeFailure(thrown, path)
  }
}

/** A hard link fails where the name is taken, which rename does not; file systems without links get a look first. */
async function moveToFreePath(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST' || (await exists(to))) {
      throw new LucidexError('FILE_EXISTS', 'The file is there already', { path: to })
    }
    await rename(from, to)
    return
  }
  await unlink(from)
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
