import path from 'node:path'
import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { followJob, withEngine } from '../session.ts'
import { byteSize } from '../table.ts'

export const exportLibrary: Command = {
  help: `Usage: lucidex export <file> [--overwrite] [options]

Writes the whole library into one file: folders, thumbnails, vectors, what was decided, settings. The
pictures themselves are not in it. Works while the app has the library open. Take it to another machine,
or keep it, and read it with lucidex import.

  --overwrite         replace the file when it is there already
${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, { overwrite: { type: 'boolean', default: false } })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new UsageError('export takes exactly one file to write')
    return withEngine({ io, libraryDir: libraryDir(values.library, io), readOnly: true }, async (engine) => {
      const { jobId } = await engine.api.jobs.start({ kind: 'export-library', path: path.resolve(name), overwrite: values.overwrite })
      const { report, interrupted } = await followJob(engine, jobId, io)
      if (interrupted || !report.exported) return EXIT.interrupted
      const { exported } = report
      if (values.json) io.print(JSON.stringify(exported, null, 2))
      else io.print(`${exported.path}: ${exported.images} pictures in ${exported.folders} folders, ${byteSize(exported.bytes)}`)
      return EXIT.ok
    })
  },
}
