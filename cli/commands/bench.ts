import path from 'node:path'
import { COMMON_HELP, EXIT, numberOption, parse, UsageError, type Command } from '../args.ts'
import { benchNoise, type Estimates } from '../bench/noise.ts'
import { interruptible, type Io } from '../io.ts'
import { withEngine } from '../session.ts'
import { markdownTable, table } from '../table.ts'
import { CONFIDENCE_HELP, runConfidence } from './benchConfidence.ts'
import { DENOISE_HELP, runDenoise, runTiling } from './benchDenoise.ts'
import { INDEX_HELP, runIndex } from './benchIndex.ts'
import { INGEST_HELP, runIngest } from './benchIngest.ts'
import { runWorkflow, WORKFLOW_HELP } from './benchWorkflow.ts'
import { ENCODER_HELP, runCalibrate, runCopies, runEncoder, runReconstructions, runSimilar, runViews } from './benchEncoder.ts'

export const bench: Command = {
  help: `Usage: lucidex bench denoise --data <dir> [options]
       lucidex bench tiling
       lucidex bench confidence --data <dir> [options]
       lucidex bench copies --data <dir> [options]
       lucidex bench calibrate --data <dir> [options]
       lucidex bench views --data <dir> [options]
       lucidex bench similar --data <dir> [--last N]
       lucidex bench encoder
       lucidex bench reconstructions --data <dir> --out <png>
       lucidex bench noise --data <dir> [options]
       lucidex bench workflow
       lucidex bench ingest [options]
       lucidex bench index [options]

${DENOISE_HELP}

${CONFIDENCE_HELP}

${ENCODER_HELP}

${WORKFLOW_HELP}

${INGEST_HELP}

${INDEX_HELP}

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
    if (kind === 'calibrate') return runCalibrate(rest, io)
    if (kind === 'views') return runViews(rest, io)
    if (kind === 'similar') return runSimilar(rest, io)
    if (kind === 'encoder') return runEncoder(rest, io)
    if (kind === 'reconstructions') return runReconstructions(rest, io)
    if (kind === 'noise') return runNoise(rest, io)
    if (kind === 'workflow') return runWorkflow(rest, io)
    if (kind === 'ingest') return runIngest(rest, io)
    if (kind === 'index') return runIndex(rest, io)
    throw new UsageError(kind === undefined ? 'bench needs to know what: see --help' : `there is no bench "${kind}"`)
  },
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
