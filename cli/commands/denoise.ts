import { stat } from 'node:fs/promises'
import path from 'node:path'
import {
  NAME_TOKENS,
  outputSettings,
  OUTPUT_FORMATS,
  reportText,
  summarise,
  TIERS,
  type DenoiseResult,
  type Destination,
  type JobSpecInput,
} from '../../core/contract/index.ts'
import { writeFileAtomic } from '../../core/images/files.ts'
import { choiceOption, COMMON_HELP, EXIT, numberOption, parse, UsageError, type Command } from '../args.ts'
import type { Io } from '../io.ts'
import { followJob, withEngine } from '../session.ts'
import { duration, table } from '../table.ts'

const BIT_DEPTHS = ['keep', '8', '16'] as const
const COLLISIONS = ['fail', 'skip', 'rename', 'overwrite'] as const

/** Formats by the extension of a named output file. */
const FORMAT_OF: Record<string, (typeof OUTPUT_FORMATS)[number]> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.tif': 'tiff',
  '.tiff': 'tiff',
  '.webp': 'webp',
  '.avif': 'avif',
}

export const denoise: Command = {
  help: `Usage: lucidex denoise <files|folders…> [-o <file|dir>] [options]

Takes the noise out of pictures and writes them as new files; the originals are never touched.

  -o, --output <file|dir>  one file for one picture, or a folder that gets the tree of the sources;
                           without it, results lie beside their sources under a new name
  --model fast|best        the tier of the model (default best)
  --sigma auto|0..75       the noise level in 8-bit units; auto measures each picture (default)
  --strength 0..100        how much of the result is mixed in; 0 is the original (default 100)
  --texture 0..100         how much fine grain stays while colour noise goes (default 0)
  --only-noisy auto|0..75  leave out pictures whose estimated noise is below this; auto: those that are clean
  --format keep|png|jpeg|tiff|webp|avif   (default: that of -o's extension, else keep)
  --bit-depth keep|8|16    (default keep)
  --quality 1..100         of lossy formats (default 92)
  --recursive              also take the folders inside the folders; the tree is kept
  --pattern <text>         the outputs' names without extension, of text and ${NAME_TOKENS.join(' ')}
                           (default {name} in a folder, {name}_denoised beside the source)
  --on-collision fail|skip|rename|overwrite   when an output is there already; an original is never overwritten
                           (default: overwrite a file named by -o, otherwise rename)
  --report <file>          write what happened to each picture: JSON, or text when the name does not end in .json
${COMMON_HELP}

A batch that was stopped or killed is taken up where it was by the same command with --on-collision skip:
outputs get their names only when they are complete.`,

  async run(args, io) {
    const { values, positionals } = parse(args, {
      output: { type: 'string', short: 'o' },
      model: { type: 'string' },
      sigma: { type: 'string' },
      strength: { type: 'string' },
      format: { type: 'string' },
      'bit-depth': { type: 'string' },
      quality: { type: 'string' },
      texture: { type: 'string' },
      recursive: { type: 'boolean', default: false },
      pattern: { type: 'string' },
      'on-collision': { type: 'string' },
      'only-noisy': { type: 'string' },
      report: { type: 'string' },
    })
    if (positionals.length === 0) throw new UsageError('denoise needs at least one picture or folder')
    const destination = await destinationOf(values.output, positionals)
    const spec: JobSpecInput = {
      kind: 'denoise',
      sources: positionals.map((name) => ({ kind: 'path', path: path.resolve(name) })),
      recursive: values.recursive,
      settings: {
        tier: choiceOption('--model', values.model, TIERS) ?? 'best',
        sigma: values.sigma === undefined || values.sigma === 'auto' ? 'auto' : numberOption('--sigma', values.sigma, { min: 0, max: 75 })!,
        strength: numberOption('--strength', values.strength, { min: 0, max: 100 }) ?? 100,
        texture: numberOption('--texture', values.texture, { min: 0, max: 100 }) ?? 0,
      },
      output: {
        format: formatOf(choiceOption('--format', values.format, OUTPUT_FORMATS), destination),
        bitDepth: choiceOption('--bit-depth', values['bit-depth'], BIT_DEPTHS) ?? 'keep',
        quality: numberOption('--quality', values.quality, { min: 1, max: 100, whole: true }) ?? 92,
        collision:
          choiceOption('--on-collision', values['on-collision'], COLLISIONS) ?? (destination.kind === 'file' ? 'overwrite' : 'rename'),
        pattern: patternOf(values.pattern),
      },
      destination,
      minSigma: values['only-noisy'] === 'auto' ? 'auto' : (numberOption('--only-noisy', values['only-noisy'], { min: 0, max: 75 }) ?? 0),
    }

    const { report, interrupted } = await withEngine({ io }, async (engine) => {
      const { jobId } = await engine.api.jobs.start(spec)
      return followJob(engine, jobId, io)
    })
    const results = report.denoise ?? []
    if (values.report !== undefined) await writeReport(path.resolve(values.report), results, interrupted)
    if (values.json) io.print(JSON.stringify({ items: results.map(toJson), ...(interrupted && { interrupted }) }, null, 2))
    else tell(results, io)
    if (interrupted) return EXIT.interrupted
    return results.some((result) => result.status === 'failed') || results.length === 0 ? EXIT.someFailed : EXIT.ok
  },
}

/** Errors: UsageError, saying what is wrong with the pattern. */
function patternOf(text: string | undefined): string | undefined {
  const parsed = outputSettings.shape.pattern.safeParse(text)
  if (!parsed.success) throw new UsageError(`--pattern: ${parsed.error.issues[0]?.message}`)
  return parsed.data
}

async function writeReport(file: string, results: DenoiseResult[], interrupted: boolean): Promise<void> {
  const document = { ...summarise(results), interrupted, items: results.map(toJson) }
  const text = file.endsWith('.json') ? `${JSON.stringify(document, null, 2)}\n` : reportText(results)
  await writeFileAtomic(file, [Buffer.from(text)], { overwrite: true })
}

/** `-o` names a file when one picture goes to a name with a picture's extension that is not a folder. */
async function destinationOf(output: string | undefined, sources: string[]): Promise<Destination> {
  if (output === undefined) return { kind: 'beside' }
  const full = path.resolve(output)
  const isFolder = (name: string) =>
    stat(name).then(
      (info) => info.isDirectory(),
      () => false,
    )
  const looksLikeFile = !/[/\\]$/.test(output) && path.extname(output).toLowerCase() in FORMAT_OF
  if (!looksLikeFile || (await isFolder(full))) return { kind: 'folder', path: full }
  if (sources.length > 1 || (await isFolder(sources[0]!))) {
    throw new UsageError(`-o ${output} names one file, but there may be several pictures: give a folder`)
  }
  return { kind: 'file', path: full }
}

type Format = (typeof OUTPUT_FORMATS)[number]

function formatOf(asked: Format | undefined, destination: Destination): Format {
  if (destination.kind !== 'file') return asked ?? 'keep'
  const named = FORMAT_OF[path.extname(destination.path).toLowerCase()]!
  if (asked !== undefined && asked !== 'keep' && asked !== named) {
    throw new UsageError(`--format ${asked} does not go with the name ${path.basename(destination.path)}`)
  }
  return named
}

function toJson(result: DenoiseResult) {
  const { input, output, width, height, status, notes, error } = result
  const rounded = (value: number | null) => (value === null ? null : Number(value.toFixed(3)))
  return {
    input,
    output,
    width,
    height,
    sigmaEstimated: rounded(result.sigmaEstimated),
    sigmaUsed: rounded(result.sigmaUsed),
    seconds: rounded(result.seconds),
    structureLoss: rounded(result.structureLoss ?? null),
    status,
    ...(result.reason && { reason: result.reason }),
    notes,
    ...(error && { error }),
  }
}

function tell(results: DenoiseResult[], io: Io): void {
  const shown = results.filter((result) => result.status !== 'failed')
  if (shown.length > 0) {
    const rows = shown.map((result) => [
      result.reason === 'little-noise' ? 'not noisy' : result.status,
      result.input,
      result.output === null ? '' : `→ ${result.output}`,
      `${result.width}×${result.height}`,
      result.sigmaUsed === null ? '' : `σ ${result.sigmaUsed.toFixed(1)}`,
      duration(result.seconds),
    ])
    io.print(table(rows))
  }
  for (const { input, notes } of shown) for (const note of notes) io.note(`${input}: ${note}`)
  for (const { input, status, error } of results) if (status === 'failed') io.note(`failed  ${input}  ${error?.code}: ${error?.message}`)
  if (results.length === 0) io.note('No picture was denoised.')
}
