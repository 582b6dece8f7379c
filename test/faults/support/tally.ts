import { appendFileSync } from 'node:fs'

/** What a look at a library after a fault found, each as a line that names the picture or the row. */
export interface Findings {
  /** Pictures on the disk that the library does not show. */
  lost: string[]
  /** Pictures that it shows more than once, or that are not on the disk. */
  doubled: string[]
  /** Questions that it answered falsely. */
  wrong: string[]
  /** Broken pages, rows without their counterpart, files that belong to nothing. */
  unsound: string[]
}

export const NOTHING: Readonly<Findings> = { lost: [], doubled: [], wrong: [], unsound: [] }

const FULL = process.env.LUCIDEX_FAULTS === 'full'

/** How often a fault is made: a few times with all other tests, many times by `npm run bench:faults`. */
export function times(few: number, many: number): number {
  return FULL ? many : few
}

/** Counts what the runs of one fault did to a library. Its row goes to the table of `npm run bench:faults`. */
export class Tally {
  readonly #fault: string
  readonly #findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
  runs = 0

  constructor(fault: string) {
    this.#fault = fault
  }

  add(findings: Partial<Findings>): void {
    this.runs++
    for (const kind of Object.keys(this.#findings) as (keyof Findings)[]) this.#findings[kind].push(...(findings[kind] ?? []))
  }

  /** Writes the row, and answers what was found in all runs: to be compared with {@link NOTHING}. */
  finish(): Findings {
    const { lost, doubled, wrong, unsound } = this.#findings
    const row = [this.#fault, this.runs, lost.length, doubled.length, wrong.length, unsound.length]
    if (process.env.LUCIDEX_FAULTS_TABLE) appendFileSync(process.env.LUCIDEX_FAULTS_TABLE, `${JSON.stringify(row)}\n`)
    return this.#findings
  }
}
