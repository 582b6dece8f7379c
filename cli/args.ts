import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { Io } from './io.ts'

/** Exit statuses. `interrupted` is the shell's 128 + SIGINT. */
export const EXIT = { ok: 0, someFailed: 1, usage: 2, interrupted: 130 } as const

/** The command line is wrong: the message names the bad value. */
export class UsageError extends Error {}

/** One word of `lucidex <word>`; its own file in commands/. */
export interface Command {
  /** What `--help` prints: the synopsis and every option. */
  help: string
  /** Answers with the exit status. Errors: UsageError, LucidexError. */
  run(args: string[], io: Io): Promise<number>
}

const common = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean', default: false },
  library: { type: 'string' },
} as const

/** What every command understands; `help` is answered before a command runs. */
export const COMMON_HELP = `  --library <dir>     the library's folder (or LUCIDEX_LIBRARY; default: your data folder)
  --json              one JSON document on standard output
  --help              this text`

/** `parseArgs` with the common options, strict. Errors: UsageError. */
export function parse<T extends ParseArgsOptionsConfig>(args: string[], options: T) {
  try {
    return parseArgs({ args, options: { ...common, ...options }, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** A number given to an option, or undefined when it was not given. Errors: UsageError. */
export function numberOption(
  name: string,
  text: string | undefined,
  range: { min: number; max: number; whole?: boolean },
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  const valid = text.trim() !== '' && value >= range.min && value <= range.max && (!range.whole || Number.isInteger(value))
  if (!valid) throw new UsageError(`${name} takes a ${range.whole ? 'whole ' : ''}number from ${range.min} to ${range.max}, not "${text}"`)
  return value
}

/** One of a few words given to an option, or undefined when it was not given. Errors: UsageError. */
export function choiceOption<T extends string>(name: string, text: string | undefined, choices: readonly T[]): T | undefined {
  if (text === undefined) return undefined
  const chosen = choices.find((choice) => choice === text)
  if (chosen === undefined) throw new UsageError(`${name} takes one of ${choices.join(', ')}, not "${text}"`)
  return chosen
}
