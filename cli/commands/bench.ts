import path from 'node:path'
import { COMMON_HELP, EXIT, numberOption, parse, UsageError, type Command } from '../args.ts'
import { readSuite } from '../bench/attacks.ts'
import { benchCopies } from '../bench/copies.ts'
import { benchNoise, type Estimates } from '../bench/noise.ts'
import { interruptible, quietLog, type Io } from '../io.ts'
import { ATTACKS_FILE } from '../paths.ts'
import { withEngine } from '../session.ts'
import { markdownTable, table } from '../table.ts'
import { CONFIDENCE_HELP, runConfidence } from './benchConfidence.ts'
import { DENOISE_HELP, runDenoise, runTiling } from './benchDenoise.ts'

export const bench: Command = {
  help: `Usage: lucidex bench denoise --data <dir> [options]
       lucidex bench tiling
       lucidex bench confidence --data <dir> [options]
       lucidex bench copies --data <dir> [options]
       lucidex bench noise --data <dir> [options]

${DENOISE_HELP}

${CONFIDENCE_HELP}

bench copies damages pictures in 36 ways and counts how often their original is found first among all;
a 64-bit DCT hash answers the same queries beside it.

  --data <dir>          pictures to damage and find again
  --distractors <dir>   pictures that only stand in the way
  --queries N           how many are damaged (default 300, evenly spaced)
  --attacks a,b,c       only these

bench noise adds noise of σ 0 to 75 to clean pictures and to flat ones that it makes, and prints the σ that
the app estimates.

  --data <dir>          clean pictures
  --limit N             only N of them, evenly spaced
  --markdown            as the table for the model card

LUCIDEX_MODELS=<dir> measures the models of another folder with a manifest.json.

${COMMON_HELP}`,

  async run(args, io) {
    const [kind, ...rest] = args
    if (kind === 'denoise') return runDenoise(rest, io)
    if (kind === 'tiling') return runTiling(rest, io)
    if (kind === 'confidence') return runConfidence(rest, io)
    if (kind === 'copies') return runCopies(rest, io)
    if (kind === 'noise') return runNoise(rest, io)
    throw new UsageError(kind === undefined ? 'bench needs to know what: denoise, tiling, copies or noise' : `there is no bench "${kind}"`)
  },
}

async function runCopies(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, {
    data: { type: 'string' },
    distractors: { type: 'string' },
    queries: { type: 'string' },
    attacks: { type: 'string' },
  })
  refuse(positionals)
  const data = absolute(values.data)
  if (data === undefined) throw new UsageError('bench copies needs --data')
  const queries = numberOption('--queries', values.queries, { min: 1, max: 1_000_000, whole: true }) ?? 300
  const suite = await readSuite(ATTACKS_FILE)
  const attacks = values.attacks?.split(',')
  for (const name of attacks ?? []) {
    if (!suite.attacks.some((attack) => attack.name === name)) throw new UsageError(`--attacks: there is no attack "${name}"`)
  }
  const report = await interruptible(io, (signal) =>
    withEngine({ io }, (engine) =>
      benchCopies(
        { suite, data, distractors: absolute(values.distractors), queries, attacks, signal, onProgress: io.progress },
        engine.inference,
        quietLog(io),
      ),
    ),
  )
  io.progress('')
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else {
    const share = (value: number) => value.toFixed(3)
    const rows = report.attacks.map((attack) => [
      attack.name,
      share(attack.recallAt1),
      share(attack.recallAt10),
      share(attack.phashRecallAt1),
    ])
    io.print(table([['attack', 'recall@1', 'recall@10', 'pHash'], ...rows, ['mean', share(report.mean), '', share(report.phashMean)]]))
    io.print(`${report.queries} pictures, each looked for among ${report.database}; ${report.millisecondsPerQuery.toFixed(1)} ms a query`)
  }
  return EXIT.ok
}

async function runNoise(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { data: { type: 'string' }, limit: { type: 'string' }, markdown: { type: 'boolean' } })
  refuse(positionals)
  const data = absolute(values.data)
  if (data === undefined) throw new UsageError('bench noise needs --data')
  const limit = numberOption('--limit', values.limit, { min: 1, max: 1_000_000, whole: true })
  const report = await interruptible(io, (signal) =>
    withEngine({ io }, (engine) => benchNoise({ data, limit, signal, onProgress: io.progress }, engine.inference)),
  )
  io.progress('')
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else {
    const cells = ({ mean, lowest, highest, clean }: Estimates) => [
      mean.toFixed(1),
      `${lowest.toFixed(1)} to ${highest.toFixed(1)}`,
      `${(clean * 100).toFixed(0)} %`,
    ]
    const rows = report.curve.map(({ sigma, textured, flat }) => [String(sigma), ...cells(textured), ...cells(flat)])
    const heading = ['true σ', 'textured', 'range', 'clean', 'flat', 'range', 'clean']
    io.print(values.markdown ? markdownTable([heading, ...rows]) : table([heading, ...rows]))
    io.print(`\n${report.textured} textured pictures of ${path.basename(data)}, ${report.flat} flat ones.`)
  }
  return EXIT.ok
}

function refuse([first]: string[]): void {
  if (first !== undefined) throw new UsageError(`"${first}" is not an option`)
}

function absolute(folder: string | undefined): string | undefined {
  return folder === undefined ? undefined : path.resolve(folder)
}
