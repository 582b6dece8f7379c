import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { withEngine } from '../session.ts'
import { byteSize, table } from '../table.ts'

export const status: Command = {
  help: `Usage: lucidex status [options]

Says what the library holds and whether its index is up to date.

${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, {})
    if (positionals.length > 0) throw new UsageError(`status takes no "${positionals[0]}"`)
    const folder = libraryDir(values.library, io)
    const found = await withEngine({ io, libraryDir: folder, readOnly: true }, async (engine) => {
      await engine.library.indexSettled()
      const [status, storage] = await Promise.all([engine.api.library.status(), engine.api.library.storage()])
      return { ...status, storage }
    })
    if (values.json) io.print(JSON.stringify(found, null, 2))
    else {
      const { files, images, vectors, pending, missing, failed, encoder, index, integrity, bytes, storage } = found
      const rows = [
        ['library', folder],
        ['files', `${files} (${pending} pending, ${missing} missing, ${failed} failed)`],
        ['images', `${images}, ${vectors} searchable`],
        ['encoder', encoder ?? 'none'],
        ['index', `${index.kind}, generation ${index.generation}, ${index.upToDate ? 'up to date' : 'catching up'}`],
        ...(index.recall
          ? [['recall', `${(index.recall.at10 * 100).toFixed(1)} % of the ten nearest, in ${index.recall.samples} samples`]]
          : []),
        ['integrity', integrity],
        ['size', byteSize(bytes)],
        ...Object.entries(storage).map(([part, size]) => [`  ${part}`, byteSize(size)]),
      ]
      io.print(table(rows))
    }
    return found.integrity === 'ok' ? EXIT.ok : EXIT.someFailed
  },
}
