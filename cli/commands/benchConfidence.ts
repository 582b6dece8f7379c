import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { TIERS } from '../../core/contract/index.ts'
import { writeFileAtomic } from '../../core/images/files.ts'
import { CALIBRATION_FILE, readCalibration, type ConfidenceCurve } from '../../core/inference/index.ts'
import { choiceOption, EXIT, numberOption, parse, UsageError } from '../args.ts'
import { benchConfidence } from '../bench/confidence.ts'
import { plotConfidence } from '../bench/confidencePlot.ts'
import { interruptible, type Io } from '../io.ts'
import { MODELS_DIR } from '../paths.ts'
import { withEngine } from '../session.ts'
import { table } from '../table.ts'

const SIGMAS = [5, 15, 25, 50]

export const CONFIDENCE_HELP = `bench confidence adds noise of σ ${SIGMAS.join(', ')} to clean pictures and sets the confidence map's values beside
the denoiser's real error; prints the curve that tells the one from the other, both as shares of σ.

  --data <dir>          clean pictures
  --model fast|best     (default: both)
  --limit N             only N of the pictures, evenly spaced
  --write               keep the curves beside the models, in ${CALIBRATION_FILE} (the app's maps use them), and plot them for the cards`

export async function runConfidence(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, {
    data: { type: 'string' },
    model: { type: 'string' },
    limit: { type: 'string' },
    write: { type: 'boolean', default: false },
  })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  if (values.data === undefined) throw new UsageError('bench confidence needs --data')
  const data = path.resolve(values.data)
  const limit = numberOption('--limit', values.limit, { min: 1, max: 1_000_000, whole: true })
  const model = choiceOption('--model', values.model, TIERS)
  const curves = await interruptible(io, (signal) =>
    withEngine({ io }, async ({ inference }) => {
      const found: Record<string, ConfidenceCurve> = {}
      for (const tier of model ? [model] : TIERS) {
        const entry = inference.models().find((candidate) => candidate.kind === 'denoiser' && candidate.tier === tier)
        if (!entry) continue
        const onProgress = (text: string) => io.progress(`${tier}: ${text}`)
        const curve = await benchConfidence({ data, tier, sigmas: SIGMAS, limit, signal, onProgress }, inference)
        const command = `lucidex bench confidence --data ${path.relative(process.cwd(), data)}${limit === undefined ? '' : ` --limit ${limit}`} --write`
        found[entry.sha256] = { model: entry.id, command, ...curve }
      }
      return found
    }),
  )
  io.progress('')
  if (values.write) await write(curves)
  if (values.json) io.print(JSON.stringify(curves, null, 2))
  else for (const curve of Object.values(curves)) print(curve, io)
  return EXIT.ok
}

/** With a plot for each model's card. Curves of models that are no longer there go. */
async function write(curves: Record<string, ConfidenceCurve>): Promise<void> {
  const known = await readCalibration(MODELS_DIR)
  const { models } = JSON.parse(await readFile(path.join(MODELS_DIR, 'manifest.json'), 'utf8')) as { models: { sha256: string }[] }
  const kept = Object.entries({ ...known, ...curves }).filter(([sha256]) => models.some((model) => model.sha256 === sha256))
  const keep = (name: string, text: string) => writeFileAtomic(path.join(MODELS_DIR, name), [Buffer.from(text)], { overwrite: true })
  await keep(CALIBRATION_FILE, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`)
  for (const curve of Object.values(curves)) await keep(`${curve.model}-confidence.svg`, plotConfidence(curve))
}

function print({ model, images, cells, rankCorrelation, knots, bySigma }: ConfidenceCurve, io: Io): void {
  io.print(`${model}: ${images} pictures, ${cells} cells, rank correlation of spread and error ${rankCorrelation}`)
  const row = (points: readonly (readonly [number, number])[]) =>
    points.map(([spread, error]) => `${spread.toFixed(3)} → ${error.toFixed(2)}`)
  io.print(table([['all', ...row(knots)], ...bySigma.map(({ sigma, points }) => [`σ ${sigma}`, ...row(points)])]))
}
