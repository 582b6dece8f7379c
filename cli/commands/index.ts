import path from 'node:path'
import type { JobReport } from '../../core/contract/index.ts'
import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { followJob, withEngine } from '../session.ts'
import { duration, table } from '../table.ts'

type IndexReport = NonNullable<JobReport['index']>

export const index: Command = {
  help: `Usage: lucidex index <folders…> [options]

Adds folders, with all folders inside them, to the library and reads what is new or changed in them.
Ctrl-C keeps what is done; the next run goes on from there.

${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, {})
    if (positionals.length === 0) throw new UsageError('index needs at least one folder')
    const started = performance.now()
    const total: IndexReport = { scanned: 0, indexed: 0, unchanged: 0, moved: 0, removed: 0, failed: [] }

    const interrupted = await withEngine({ io, libraryDir: libraryDir(values.library, io) }, async (engine) => {
      // Folders inside a folder that was just read are read already.
      const read = new Set<number>()
      for (const name of positionals) {
        const { folder, jobId } = await engine.api.library.addFolder({ path: path.resolve(name) })
        if (read.has(folder.id) || jobId === null) continue
        read.add(folder.id)
        const end = await followJob(engine, jobId, io)
        if (end.report.index) add(total, end.report.index)
        if (end.interrupted) return true
      }
      return false
    })

    const seconds = (performance.now() - started) / 1000
    const imagesPerSecond = total.indexed / seconds
    if (values.json) {
      io.print(
        JSON.stringify(
          { ...total, seconds: round(seconds, 3), imagesPerSecond: round(imagesPerSecond, 1), ...(interrupted && { interrupted }) },
          null,
          2,
        ),
      )
    } else {
      for (const { path: file, code, message } of total.failed) io.note(`failed  ${file}  ${code}: ${message}`)
      const { scanned, indexed, unchanged, moved, removed, failed } = total
      const counts = { scanned, indexed, unchanged, moved, removed, failed: failed.length }
      io.print(table(Object.entries(counts).map(([name, value]) => [name, String(value)])))
      io.print(
        `${duration(seconds)}, ${imagesPerSecond.toFixed(1)} pictures/s${interrupted ? ' (interrupted: run it again to go on)' : ''}`,
      )
    }
    if (interrupted) return EXIT.interrupted
    return total.failed.length > 0 ? EXIT.someFailed : EXIT.ok
  },
}

function add(total: IndexReport, part: IndexReport): void {
  total.scanned += part.scanned
  total.indexed += part.indexed
  total.unchanged += part.unchanged
  total.moved += part.moved
  total.removed += part.removed
  total.failed.push(...part.failed)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
