import path from 'node:path'
import ignore from 'ignore'
import { LucidexError } from '../contract/index.ts'

/** Whether a folder's patterns leave out a path inside it; `full` is absolute. */
export type IsIgnored = (full: string, kind: 'file' | 'folder') => boolean

/** The matcher remembers every path it was asked about: it is made anew after so many. */
const ASKED_MAX = 20_000

/**
 * The patterns of a folder of the library, in the syntax of gitignore(5), one a line, relative to the folder
 * and blind to case: undefined when they leave out nothing. What lies in a folder that is left out is left
 * out as well, whatever other patterns say.
 */
export function ignoring(root: string, patterns: string): IsIgnored | undefined {
  if (patterns.split(/\r?\n/).every((line) => line.trim() === '' || line.startsWith('#'))) return undefined
  const make = () => ignore().add(patterns)
  let matcher = make()
  let asked = 0
  return (full, kind) => {
    if (++asked % ASKED_MAX === 0) matcher = make()
    const inside = path.relative(root, full).replaceAll(path.sep, '/')
    return inside !== '' && ignore.isPathValid(inside) && matcher.ignores(kind === 'folder' ? `${inside}/` : inside)
  }
}

/** Errors: BAD_REQUEST when the patterns cannot be used. */
export function checkPatterns(patterns: string): void {
  try {
    ignore().add(patterns).ignores('a/b.jpg')
  } catch (cause) {
    throw new LucidexError('BAD_REQUEST', `These patterns cannot be used: ${(cause as Error).message}`, { cause })
  }
}
