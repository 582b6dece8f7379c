/**
 * How an output's name is made of a pattern. It lies in the contract because the window shows the name that the
 * engine will give.
 */
import type { Tier } from './schemas.ts'

/**
 * What may stand in a name pattern: the source's name without extension, the name of the folder it lies
 * in, the model's tier, the strength (0..100), the day of the export (2026-11-21, local time).
 */
export const NAME_TOKENS = ['{name}', '{folder}', '{tier}', '{strength}', '{date}'] as const

/** Beside its source a result needs a name of its own. */
export const BESIDE_PATTERN = '{name}_denoised'
export const FOLDER_PATTERN = '{name}'

export interface NameFacts {
  /** The source's name without extension. */
  name: string
  /** The name of the folder it lies in. */
  folder: string
  tier: Tier
  /** 0..100. */
  strength: number
  /** The day of the export. */
  date: Date
}

/** The name without extension. */
export function fillPattern(pattern: string, { name, folder, tier, strength, date }: NameFacts): string {
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
  const values: Record<(typeof NAME_TOKENS)[number], string> = {
    '{name}': name,
    '{folder}': folder,
    '{tier}': tier,
    '{strength}': String(Math.round(strength)),
    '{date}': day,
  }
  return pattern.replace(/\{\w+\}/g, (token) => (Object.hasOwn(values, token) ? values[token as keyof typeof values] : token))
}

export function namesFolders(pattern: string): boolean {
  return /[/\\\0]/.test(pattern)
}

/** What stands in braces and is none of {@link NAME_TOKENS}. */
export function unknownTokens(pattern: string): string[] {
  return (pattern.match(/\{[^}]*\}/g) ?? []).filter((token) => !(NAME_TOKENS as readonly string[]).includes(token))
}
