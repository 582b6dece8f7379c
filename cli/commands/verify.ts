import type { VerifyReport } from '../../core/contract/index.ts'
import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { followJob, withEngine } from '../session.ts'
import { table } from '../table.ts'

export const verify: Command = {
  help: `Usage: lucidex verify [--thorough] [options]

Checks the library: its database, every file's entry against the disk, every picture's thumbnail and
vector, the index. What can be computed again is; what cannot is told. The pictures are only read.

  --thorough          also read every file and compare it with what it was: finds bytes that changed
                      while size and times did not
${COMMON_HELP}

Exit status 1 when there are problems that could not be repaired.`,

  async run(args, io) {
    const { values, positionals } = parse(args, { thorough: { type: 'boolean', default: false } })
    if (positionals.length > 0) throw new UsageError(`verify takes no "${positionals[0]}"`)
    return withEngine({ io, libraryDir: libraryDir(values.library, io) }, async (engine) => {
      const { jobId } = await engine.api.jobs.start({ kind: 'verify', thorough: values.thorough })
      const { report, interrupted } = await followJob(engine, jobId, io)
      if (!report.verify) return interrupted ? EXIT.interrupted : EXIT.someFailed
      // What was lost is read again before the command ends.
      if (report.verify.indexJobId !== null && !interrupted) await followJob(engine, report.verify.indexJobId, io)
      const { checked, repaired, problems, problemCount, recall } = report.verify
      const found = { checked, repaired, problems, problemCount, recall }
      if (values.json) io.print(JSON.stringify(found, null, 2))
      else print(found, io)
      if (interrupted) return EXIT.interrupted
      return found.problemCount > 0 ? EXIT.someFailed : EXIT.ok
    })
  },
}

function print({ checked, repaired, problems, problemCount, recall }: Omit<VerifyReport, 'indexJobId'>, io: Parameters<Command['run']>[1]) {
  for (const { what, path, message } of problems) io.note(`${what}  ${path === null ? '' : `${path}  `}${message}`)
  io.print(
    table([
      ['files checked', `${checked.files}${checked.hashed > 0 ? ` (${checked.hashed} read whole)` : ''}`],
      ['pictures', String(checked.images)],
      ['vectors', String(checked.vectors)],
      ...(recall === null ? [] : [['index recall', `${(recall * 100).toFixed(1)} %`]]),
      ...repaired.map(({ what, count }) => [`repaired ${what}`, String(count)]),
      ['problems', String(problemCount)],
    ]),
  )
}
