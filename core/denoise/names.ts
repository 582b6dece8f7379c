import { basename, dirname, extname } from 'node:path'
import { fillPattern, type DenoiseSettings, type OutputSettings } from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import { extensionOf, formatOfExtension, isWritable } from '../images/index.ts'
import type { ExportItem } from './sources.ts'

/** The output's name without extension. */
export function outputStem(
  item: Pick<ExportItem, 'path' | 'relative'>,
  pattern: string,
  { tier, strength }: Pick<DenoiseSettings, 'tier' | 'strength'>,
  date: Date,
): string {
  return fillPattern(pattern, { name: stemOf(item.relative), folder: basename(dirname(item.path)), tier, strength, date })
}

/**
 * Of the pictures in one folder those that a pattern has made of others there, also numbered ones: a second
 * run leaves them alone. A pattern that is `{name}` alone tells nothing.
 */
export function resultsAmong(names: readonly string[], pattern: string): Set<string> {
  if (pattern === '{name}' || !pattern.includes('{name}')) return new Set()
  const [first = '', ...rest] = pattern.split('{name}')
  // Only the first {name} is looked for; every other token may be anything.
  const literal = (text: string) =>
    text
      .split(/\{\w+\}/)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')
  const made = new RegExp(`^${literal(first)}(.+)${literal(rest.join('{name}'))}(?:-\\d+)?$`)
  const stems = new Set(names.map(stemOf))
  return new Set(
    names.filter((name) => {
      const source = made.exec(stemOf(name))?.[1]
      return source !== undefined && source !== stemOf(name) && stems.has(source)
    }),
  )
}

/** The extension of the output: the source's own where its format stays. */
export async function outputExtension(
  { path, name }: Pick<ExportItem, 'path' | 'name'>,
  format: OutputSettings['format'],
  { inspect }: Pick<PictureDecoder, 'inspect'>,
): Promise<{ extension: string; note?: string }> {
  const extension = extname(name) || extname(path)
  const own = formatOfExtension(extension) ?? (await inspect(path)).format
  if (format !== 'keep') return { extension: own === format && extension !== '' ? extension : extensionOf(format) }
  if (isWritable(own)) return { extension: extension || extensionOf(own) }
  return { extension: '.tiff', note: `${own.toUpperCase()} is not written: saved as TIFF.` }
}

function stemOf(name: string): string {
  return basename(name, extname(name))
}
