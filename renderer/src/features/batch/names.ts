import { NAME_TOKENS, type OutputSettings, type Tier } from '$contract'
import { extensionFor } from '../denoise/formats.ts'

/** What a pattern is by default: beside its source a result needs a name of its own. */
export const BESIDE_PATTERN = '{name}_denoised'
export const FOLDER_PATTERN = '{name}'

/** Why a name pattern cannot be used, or null. The engine's own rule: contract, `outputSettings.pattern`. */
export function patternFault(pattern: string): string | null {
  if (pattern.trim() === '') return 'A name is needed.'
  if (/[/\\\0]/.test(pattern)) return 'A name holds no slashes: the folder is chosen below.'
  const unknown = (pattern.match(/\{[^}]*\}/g) ?? []).find((token) => !(NAME_TOKENS as readonly string[]).includes(token))
  return unknown ? `${unknown} is not known.` : null
}

export interface NameFacts {
  /** The source's file name. */
  name: string
  folder: string
  tier: Tier
  strength: number
  format: OutputSettings['format']
  now: Date
}

/** What a source will be called, with its extension. */
export function outputName(pattern: string, { name, folder, tier, strength, format, now }: NameFacts): string {
  const dot = name.lastIndexOf('.')
  const values: Record<string, string> = {
    '{name}': dot > 0 ? name.slice(0, dot) : name,
    '{folder}': folder,
    '{tier}': tier,
    '{strength}': String(strength),
    '{date}': [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('-'),
  }
  return pattern.replace(/\{\w+\}/g, (token) => values[token] ?? token) + extensionFor(name, format)
}
