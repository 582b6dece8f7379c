import path from 'node:path'
import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { followJob, withEngine } from '../session.ts'
import { table } from '../table.ts'

export const importLibrary: Command = {
  help: `Usage: lucidex import <file> [--map from=to]… [options]

Merges a library that lucidex export wrote into this one. Pictures that are known here are not doubled,
and nothing that is unchanged is read again. Ctrl-C before its end leaves the library as it was.

  --map from=to       a folder that lies elsewhere on this machine; may be given several times
${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, { map: { type: 'string', multiple: true, default: [] } })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new UsageError('import takes exactly one file')
    const map = values.map.map(mapOption)
    return withEngine({ io, libraryDir: libraryDir(values.library, io) }, async (engine) => {
      const { jobId } = await engine.api.jobs.start({ kind: 'import-library', path: path.resolve(name), map })
      const { report, interrupted } = await followJob(engine, jobId, io)
      if (interrupted || !report.imported) return EXIT.interrupted
      const { indexJobId, ...imported } = report.imported
      const found = indexJobId === null ? undefined : await followJob(engine, indexJobId, io)
      if (values.json) io.print(JSON.stringify(imported, null, 2))
      else {
        for (const folder of imported.folders)
          io.note(`${folder.path}${folder.offline ? '  is not here: its pictures are shown as missing' : ''}`)
        const { files, knownFiles, images, knownImages, vectors, decisions } = imported
        io.print(
          table(
            Object.entries({ files, 'known files': knownFiles, images, 'known images': knownImages, vectors, decisions }).map(
              ([label, count]) => [label, String(count)],
            ),
          ),
        )
      }
      return found?.interrupted ? EXIT.interrupted : EXIT.ok
    })
  },
}

/** `from=to`; `to` is made absolute. Errors: UsageError. */
function mapOption(text: string): { from: string; to: string } {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new UsageError(`--map takes from=to, not "${text}"`)
  return { from: text.slice(0, at), to: path.resolve(text.slice(at + 1)) }
}
