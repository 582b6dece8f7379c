import { fillPattern, namesFolders, unknownTokens, type NameFacts, type OutputSettings } from '$contract'
import { extensionFor } from '../denoise/formats.ts'

/** Why a name pattern cannot be used, or null. The engine's own rule: contract, `outputSettings.pattern`. */
export function patternFault(pattern: string): string | null {
  if (pattern.trim() === '') return 'A name is needed.'
  if (namesFolders(pattern)) return 'A name holds no slashes: the folder is chosen below.'
  const [unknown] = unknownTokens(pattern)
  return unknown ? `${unknown} is not known.` : null
}

/** What a source will be called, with its extension; `source` is its file name. */
export function outputName(
  pattern: string,
  { source, format, ...facts }: Omit<NameFacts, 'name'> & { source: string; format: OutputSettings['format'] },
): string {
  const dot = source.lastIndexOf('.')
  return fillPattern(pattern, { ...facts, name: dot > 0 ? source.slice(0, dot) : source }) + extensionFor(source, format)
}
