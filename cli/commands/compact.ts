import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { followJob, withEngine } from '../session.ts'
import { byteSize } from '../table.ts'

export const compact: Command = {
  help: `Usage: lucidex compact [options]

Gives unused bytes of the library's database back to the disk. Folders and files that were taken out of
the library cannot be put back afterwards.

${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, {})
    if (positionals.length > 0) throw new UsageError(`compact takes no "${positionals[0]}"`)
    return withEngine({ io, libraryDir: libraryDir(values.library, io) }, async (engine) => {
      const { jobId } = await engine.api.jobs.start({ kind: 'compact' })
      const { report, interrupted } = await followJob(engine, jobId, io)
      if (interrupted || !report.compact) return EXIT.interrupted
      const { before, after } = report.compact
      if (values.json) io.print(JSON.stringify({ before, after }, null, 2))
      else io.print(`${byteSize(before)} before, ${byteSize(after)} now`)
      return EXIT.ok
    })
  },
}
