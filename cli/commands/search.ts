import path from 'node:path'
import { LucidexError, type Region } from '../../core/contract/index.ts'
import { COMMON_HELP, EXIT, numberOption, parse, UsageError, type Command } from '../args.ts'
import { libraryDir } from '../paths.ts'
import { withEngine } from '../session.ts'
import { table } from '../table.ts'

export const search: Command = {
  help: `Usage: lucidex search <image> [options]

Finds the library's pictures that are, or look like, the given one. The score, at most 1,
grows with the likeness of the descriptors and of the pictures themselves; the relation says what it means:
same-file, copy, near-duplicate, similar or unrelated.

  -k 1..500           how many results (default 20)
  --region x,y,w,h    search by a part of the picture: shares (0..1) of its width and height
${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, { k: { type: 'string', short: 'k' }, region: { type: 'string' } })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new UsageError('search takes exactly one picture')
    const file = path.resolve(name)
    const k = numberOption('-k', values.k, { min: 1, max: 500, whole: true }) ?? 20
    const region = regionOption(values.region)
    const folder = libraryDir(values.library, io)

    const response = await withEngine({ io, libraryDir: folder, readOnly: true }, async (engine) => {
      const { vectors } = await engine.api.library.status()
      if (vectors === 0) throw new LucidexError('ITEM_NOT_FOUND', `The library ${folder} is empty: index a folder first`, { path: folder })
      return engine.api.search.find({ source: { kind: 'path', path: file }, region, k })
    })
    const results = response.results.map((result) => ({
      path: result.path,
      score: Number(result.score.toFixed(4)),
      relation: result.relation,
    }))
    if (values.json) io.print(JSON.stringify({ results, milliseconds: Number(response.milliseconds.toFixed(1)) }, null, 2))
    else {
      io.print(table([['score', 'relation', 'path'], ...results.map((result) => [result.score.toFixed(3), result.relation, result.path])]))
      io.note(`${response.searched} pictures searched in ${response.milliseconds.toFixed(1)} ms`)
    }
    return EXIT.ok
  },
}

/** `x,y,w,h` as shares of the picture. Errors: UsageError. */
function regionOption(text: string | undefined): Region | undefined {
  if (text === undefined) return undefined
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const [x, y, width, height] = numbers as [number, number, number, number]
  const valid = numbers.length === 4 && x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1.0001 && y + height <= 1.0001
  if (!valid) throw new UsageError(`--region takes x,y,w,h as shares from 0 to 1 that stay inside the picture, not "${text}"`)
  return { x, y, width: Math.min(1, width), height: Math.min(1, height) }
}
