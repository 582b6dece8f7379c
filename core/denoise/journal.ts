import { stat, unlink } from 'node:fs/promises'
import type { DenoiseResult } from '../contract/index.ts'

/**
 * What a job has done, picture by picture. Kept in the catalog it outlives a crash: a picture whose
 * result is in it is not done again. One picture is known by its input's path.
 */
export interface ExportJournal {
  /** Finished pictures, in the order they were finished. */
  results(): DenoiseResult[]
  page(offset: number, limit: number): { total: number; results: DenoiseResult[] }
  /** To be called when a complete temporary file is about to be renamed to `result.output`. */
  intend(result: DenoiseResult, temporary: string): void
  finish(result: DenoiseResult): void
  /** Intentions without an end: the process was killed between the two. */
  unfinished(): { result: DenoiseResult; temporary: string }[]
  forget(input: string): void
}

/** A journal that ends with the engine. */
export class MemoryJournal implements ExportJournal {
  readonly #results = new Map<string, DenoiseResult>()

  results(): DenoiseResult[] {
    return [...this.#results.values()]
  }
  page(offset: number, limit: number): { total: number; results: DenoiseResult[] } {
    return { total: this.#results.size, results: this.results().slice(offset, offset + limit) }
  }
  finish(result: DenoiseResult): void {
    this.#results.delete(result.input)
    this.#results.set(result.input, result)
  }
  forget(input: string): void {
    this.#results.delete(input)
  }
  intend(): void {}
  unfinished(): [] {
    return []
  }
}

/**
 * Settles what a killed process left between intention and end. The temporary file was complete: when it
 * has its new name the picture is done, when it has not it is thrown away and the picture is due again.
 */
export async function recover(journal: ExportJournal): Promise<void> {
  for (const { result, temporary } of journal.unfinished()) {
    const [before, after] = await Promise.all([identity(temporary), result.output === null ? undefined : identity(result.output)])
    // Where both are one file, the process died between giving the new name and taking the old one.
    const renamed = after !== undefined && (before === undefined || before === after)
    if (before !== undefined) await unlink(temporary).catch(() => undefined)
    if (renamed) journal.finish(result)
    else journal.forget(result.input)
  }
}

/** What tells one file from another whatever its name: links, letter case and `..` do not matter. Undefined where there is none. */
export async function identity(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined)
  return info && `${info.dev}:${info.ino}`
}
