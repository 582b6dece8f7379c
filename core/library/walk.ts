import { isUtf8 } from 'node:buffer'
import type { Dirent, Stats } from 'node:fs'
import { lstat, opendir, stat } from 'node:fs/promises'
import path from 'node:path'
import { LucidexError, type ErrorCode } from '../contract/index.ts'
import type { DiskFile } from '../db/queries/files.ts'
import type { IsIgnored } from './ignore.ts'

/** A path that cannot be looked into. */
export interface WalkProblem {
  path: string
  name: string
  code: ErrorCode
  message: string
}

export interface WalkPage {
  files: DiskFile[]
  problems: WalkProblem[]
}

/** Entries read from a folder at a time: what one page of the walk holds at most. */
const PAGE = 500
/**
 * Folders that systems and devices keep for themselves, in lower case: bins, indexes, a NAS's thumbnails and
 * snapshots. Everything else that can be seen is looked into; what else to leave out, the folder's patterns say.
 */
const SYSTEM_FOLDERS = new Set([
  '$recycle.bin',
  'system volume information',
  'lost+found',
  '@eadir',
  '#recycle',
  '#snapshot',
  '@recycle',
  '__macosx',
])

/** Names with a leading dot (.Trash, .thumbnails, half-written files) and system folders. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || SYSTEM_FOLDERS.has(name.toLowerCase())
}

export interface WalkOptions {
  /** Takes files by their names. */
  accepts(name: string): boolean
  isIgnored?: IsIgnored
}

/**
 * Every file below `root` whose name `accepts` takes and no pattern leaves out, in pages. Links to folders are
 * not followed, so that a walk always ends and no picture is met twice; links to files are, and a link that
 * leads nowhere is no file. Names are read as bytes: one that is not UTF-8 is a problem of its own
 * (NAME_NOT_UTF8), never a mangled path. What cannot be read is a problem too and the walk goes on.
 *
 * Throws FOLDER_OFFLINE when the root is not there, also when it goes away before the walk ends, and
 * FOLDER_NOT_READABLE when it may not be read.
 */
export async function* walk(root: string, { accepts, isIgnored = () => false }: WalkOptions): AsyncGenerator<WalkPage> {
  const waiting = [root]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for await (const entries of pages(folder)) {
        const page: WalkPage = { files: [], problems: [] }
        await Promise.all(entries.map((entry) => visit(folder, entry, page)))
        page.files.sort((a, b) => (a.name < b.name ? -1 : 1))
        yield page
      }
    } catch (thrown) {
      if (thrown instanceof LucidexError) throw thrown
      await checkRoot(root)
      // A folder that was there a moment ago and is gone is no problem: its files are missing.
      if (!isGone(thrown)) yield { files: [], problems: [unreadable(folder, 'FOLDER_NOT_READABLE', thrown)] }
    }
  }
  await checkRoot(root)

  async function visit(folder: string, entry: Dirent<Buffer>, page: WalkPage): Promise<void> {
    if (!isUtf8(entry.name)) {
      const name = spell(entry.name)
      if (entry.isDirectory() || accepts(name)) {
        page.problems.push({
          path: path.join(folder, name),
          name,
          code: 'NAME_NOT_UTF8',
          message: 'The name is not valid UTF-8: rename it to have it indexed',
        })
      }
      return
    }
    const name = entry.name.toString()
    if (isHidden(name)) return
    const full = path.join(folder, name)
    try {
      // Some file systems do not say what an entry is until it is asked.
      const unknown = !entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()
      const kind: Pick<Stats, 'isDirectory' | 'isFile' | 'isSymbolicLink'> = unknown ? await lstat(full) : entry
      if (kind.isDirectory()) {
        if (!isIgnored(full, 'folder')) waiting.push(full)
      } else if (accepts(name) && (kind.isFile() || kind.isSymbolicLink()) && !isIgnored(full, 'file')) {
        const file = await lookAt(full)
        if (file) page.files.push(file)
      }
    } catch (thrown) {
      if (!isGone(thrown)) page.problems.push(unreadable(full, 'FILE_NOT_READABLE', thrown))
    }
  }
}

/** A regular file, or what a link to one leads to; undefined when it is something else. Rejects with the system's error. */
export async function lookAt(full: string): Promise<DiskFile | undefined> {
  const info = await stat(full)
  if (!info.isFile()) return undefined
  return {
    path: full,
    name: path.basename(full),
    size: info.size,
    mtime: Math.round(info.mtimeMs * 1000),
    ctime: Math.round(info.ctimeMs * 1000),
    // Some file systems number files beyond what a JavaScript number holds.
    inode: Number.isSafeInteger(info.ino) ? info.ino : null,
  }
}

/** Throws FOLDER_OFFLINE or FOLDER_NOT_READABLE when a folder of the library is not there to be read. */
export async function checkRoot(root: string): Promise<void> {
  try {
    await (await opendir(root)).close()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EACCES' || (cause as NodeJS.ErrnoException).code === 'EPERM') {
      throw new LucidexError('FOLDER_NOT_READABLE', 'No permission to read the folder', { path: root, cause })
    }
    throw new LucidexError('FOLDER_OFFLINE', 'The folder is not there: its drive may be absent', { path: root, cause })
  }
}

async function* pages(folder: string): AsyncGenerator<Dirent<Buffer>[]> {
  // The types know the encoding `buffer` for readdir only; opendir takes it as well and reads no more than a page at once.
  const directory = await opendir(folder, { bufferSize: PAGE, encoding: 'buffer' as never })
  let page: Dirent<Buffer>[] = []
  for await (const entry of directory) {
    page.push(entry as unknown as Dirent<Buffer>)
    if (page.length === PAGE) {
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}

/** Whether the system's error says that nothing is there (any more), rather than that it cannot be read. */
export function isGone(thrown: unknown): boolean {
  const { code } = thrown as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}

function unreadable(full: string, code: 'FOLDER_NOT_READABLE' | 'FILE_NOT_READABLE', thrown: unknown): WalkProblem {
  const denied = ['EACCES', 'EPERM'].includes((thrown as NodeJS.ErrnoException).code ?? '')
  const message = denied ? `No permission to read the ${code === 'FILE_NOT_READABLE' ? 'file' : 'folder'}` : (thrown as Error).message
  return { path: full, name: path.basename(full), code, message }
}

/** Bytes that are not UTF-8 as a name to show: printable ASCII as it is, everything else as \xNN. */
function spell(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('')
}
