import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../core/engine.ts'
import { EXIT, numberOption, parse, UsageError } from '../args.ts'
import { readSuite } from '../bench/attacks.ts'
import { BENCHED, calibrate } from '../bench/calibrate.ts'
import { benchCopies, type CopiesReport } from '../bench/copies.ts'
import type { DamagedOptions } from '../bench/damaged.ts'
import { LOAD_MAX } from '../bench/load.ts'
import { reconstructionSheet } from '../bench/reconstructions.ts'
import { benchSimilar, type SimilarReport } from '../bench/similar.ts'
import { benchThroughput, type ThroughputReport } from '../bench/throughput.ts'
import { benchViews, type ViewsReport } from '../bench/views.ts'
import { interruptible, quietLog, type Io } from '../io.ts'
import { ATTACKS_FILE, ROOT } from '../paths.ts'
import { withEngine } from '../session.ts'
import { markdownTable, table } from '../table.ts'

/** The classes of caltech-dev that the encoder is never trained on: its last ones. */
const HELD_OUT = 12
/** How many pictures `bench views` damages by default. */
const VIEWED = 60

export const ENCODER_HELP = `bench copies damages pictures in 36 ways and looks for them as the app does: how often their original is first,
among the first ten, and what of the answers called copy is right. pHash and 16 × 16 raw pixels answer beside it.
bench calibrate fits the scores from which an answer is called a copy, a near duplicate, or similar.
bench views says what each of the query's views adds.

  --data <dir>          pictures to damage and find again
  --distractors <dir>   pictures that only stand in the way; may be given more than once
  --limit N             how many are damaged (default ${BENCHED}, of views ${VIEWED}; evenly spaced)
  --attacks a,b,c       only these
  --out <file>          of calibrate: where the relations go, for training/encoder/export.py

bench similar asks by every picture of a folder of classes for others of its class, against PCA, a colour histogram
and raw pixels.

  --data <dir>          a folder of folders, one a class
  --last N              only its last N classes (${HELD_OUT} in caltech-dev were never trained on)

bench encoder prints all tables of the encoder as Markdown, on the pictures of ../shared/data (or LUCIDEX_DATA).

  --limit N             as of copies
  --wait <seconds>      wait so long for the load to fall to ${LOAD_MAX}; above it no speed is measured

bench reconstructions draws what the index sees: pictures, their reconstructions, and walks between them.

  --data <dir>          --limit N pictures of it (default 20)
  --out <png>`

const FOUND = {
  data: { type: 'string' },
  distractors: { type: 'string', multiple: true },
  limit: { type: 'string' },
  attacks: { type: 'string' },
  out: { type: 'string' },
} as const

export async function runCopies(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, FOUND)
  const options = await damagedOptions('copies', values, positionals)
  const report = await onEngine(io, (engine, watched) => benchCopies({ ...options, ...watched }, engine, io))
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else io.print(`${table(copiesRows(report))}\n\n${copiesSentences(report)}`)
  return EXIT.ok
}

export async function runCalibrate(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, FOUND)
  const options = await damagedOptions('calibrate', values, positionals)
  const relations = await onEngine(io, (engine, watched) => calibrate({ ...options, ...watched }, engine, io))
  const text = JSON.stringify(relations, null, 2)
  if (values.out !== undefined) await writeWhole(path.resolve(values.out), `${text}\n`)
  io.print(text)
  return EXIT.ok
}

export async function runViews(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, FOUND)
  const options = await damagedOptions('views', values, positionals, VIEWED)
  const report = await onEngine(io, ({ inference }, watched) => benchViews({ ...options, ...watched }, inference, quietLog(io)))
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else io.print(`${table(viewRows(report))}\n\n${viewSentence(report)}`)
  return EXIT.ok
}

export async function runSimilar(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { data: { type: 'string' }, last: { type: 'string' } })
  const data = folder('similar', values.data, positionals)
  const last = numberOption('--last', values.last, { min: 2, max: 1_000_000, whole: true })
  const report = await onEngine(io, ({ inference }, watched) => benchSimilar({ data, last, ...watched }, inference, quietLog(io)))
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else io.print(`${table(similarRows(report))}\n\n${similarSentence(report)}`)
  return EXIT.ok
}

export async function runReconstructions(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { data: { type: 'string' }, limit: { type: 'string' }, out: { type: 'string' } })
  const data = folder('reconstructions', values.data, positionals)
  if (values.out === undefined) throw new UsageError('bench reconstructions needs --out')
  const count = numberOption('--limit', values.limit, { min: 2, max: 1000, whole: true }) ?? 20
  const { png, report } = await onEngine(io, ({ inference }) => reconstructionSheet(data, count, inference))
  const out = path.resolve(values.out)
  await writeWhole(out, png)
  if (values.json) io.print(JSON.stringify({ out, ...report }, null, 2))
  else io.print(`${out}: ${report.pictures} pictures, error ${report.error.toFixed(1)} of 255 (root mean square)`)
  return EXIT.ok
}

export async function runEncoder(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { limit: { type: 'string' }, wait: { type: 'string' } })
  refuse(positionals)
  const queries = numberOption('--limit', values.limit, { min: 1, max: 1_000_000, whole: true }) ?? BENCHED
  const patience = numberOption('--wait', values.wait, { min: 0, max: 86_400 }) ?? 0
  const retrieval = path.join(path.resolve(io.env['LUCIDEX_DATA'] ?? path.join(ROOT, '..', 'shared', 'data')), 'retrieval')
  const [data, others] = [path.join(retrieval, 'photos-1000'), path.join(retrieval, 'caltech-dev')]
  const suite = await readSuite(ATTACKS_FILE)
  const report = await onEngine(io, async (engine, watched) => {
    const { inference } = engine
    const log = quietLog(io)
    // Speed first: what follows is load.
    const throughput = await benchThroughput(patience, inference, watched)
    const similar = await benchSimilar({ data: others, last: HELD_OUT, ...watched }, inference, log)
    const damage = { suite, data, distractors: [others], ...watched }
    const views = await benchViews({ ...damage, queries: Math.min(queries, VIEWED) }, inference, log)
    const copies = await benchCopies({ ...damage, queries }, engine, io)
    return { copies, views, similar, throughput }
  })
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else {
    const { copies, views, similar, throughput } = report
    const sections = [
      markdownTable(copiesRows(copies)),
      copiesSentences(copies),
      markdownTable(viewRows(views)),
      viewSentence(views),
      markdownTable(similarRows(similar)),
      similarSentence(similar),
      throughputSentence(throughput),
    ]
    io.print(sections.join('\n\n'))
  }
  return EXIT.ok
}

// ---------------------------------------------------------------- What is printed

function copiesRows({ attacks, mean, meanAt10, phashMean, rawMean, copy }: CopiesReport): string[][] {
  const heading = ['attack', 'recall@1', 'recall@10', 'called copy', 'precision of copy', 'pHash@1', 'raw pixels@1']
  const rows = attacks.map((attack) => [
    attack.name,
    ...[attack.recallAt1, attack.recallAt10, attack.copyRecall, attack.copyPrecision, attack.phashRecallAt1, attack.rawRecallAt1].map(
      share,
    ),
  ])
  return [heading, ...rows, ['mean', ...[mean, meanAt10, copy.recall, copy.precision, phashMean, rawMean].map(share)]]
}

function copiesSentences({ queries, database, copy, attacks, millisecondsPerQuery }: CopiesReport): string {
  return (
    `${queries} pictures under ${attacks.length} attacks, each looked for among ${database}; ${millisecondsPerQuery.toFixed(0)} ms a search by a file. ` +
    `With the original taken out, ${share(copy.withoutOriginal)} of the queries are still told of a copy.`
  )
}

function viewRows({ stages }: ViewsReport): string[][] {
  const gains = (stage: number) =>
    stages[stage]!.attacks.flatMap(({ name, recallAt1 }, at) => {
      const before = stages[stage - 1]?.attacks[at]?.recallAt1 ?? recallAt1
      return Math.abs(recallAt1 - before) < 0.01 ? [] : [`${name} ${before.toFixed(3)} → ${recallAt1.toFixed(3)}`]
    })
  return [
    ['views of the query', 'mean recall@1', 'what changes by 0.01 or more'],
    ...stages.map(({ name, mean }, stage) => [stage === 0 ? name : `+ ${name}`, mean.toFixed(4), gains(stage).join(', ')]),
  ]
}

function viewSentence({ queries, database, milliseconds, millisecondsWhole }: ViewsReport): string {
  return (
    `${queries} pictures under all attacks among ${database}, by descriptors alone. Encoding and scanning: ${millisecondsWhole.toFixed(1)} ms ` +
    `for the whole picture, ${milliseconds.toFixed(1)} ms for all views in one batch.`
  )
}

function similarRows({ methods }: SimilarReport): string[][] {
  return [
    ['method', 'precision@10', 'mAP'],
    ...methods.map(({ name, precisionAt10, meanAveragePrecision }) => [name, share(precisionAt10), share(meanAveragePrecision)]),
  ]
}

function similarSentence({ classes, pictures }: SimilarReport): string {
  return `${pictures} pictures of ${classes.length} classes (${classes.join(', ')}), each asked for among the others. PCA is fitted on these very pictures.`
}

function throughputSentence({ picturesPerSecond, threads, load }: ThroughputReport): string {
  const beside = load === null ? '' : ` at a load of ${load.toFixed(2)}`
  return picturesPerSecond === null
    ? `The encoder's speed was not measured: the load is ${load!.toFixed(2)}, over ${LOAD_MAX}.`
    : `The encoder alone, in batches on ${threads} threads${beside}: ${picturesPerSecond.toFixed(0)} pictures a second.`
}

function share(value: number | null): string {
  return value === null ? '–' : value.toFixed(3)
}

// ---------------------------------------------------------------- Options

interface Watch {
  signal: AbortSignal
  onProgress: (text: string) => void
}

/** An engine on an empty library that is gone afterwards. */
async function onEngine<T>(io: Io, work: (engine: Engine, watched: Watch) => Promise<T>): Promise<T> {
  const result = await interruptible(io, (signal) => withEngine({ io }, (engine) => work(engine, { signal, onProgress: io.progress })))
  io.progress('')
  return result
}

async function damagedOptions(
  kind: string,
  values: { data?: string; distractors?: string[]; limit?: string; attacks?: string },
  positionals: string[],
  most = BENCHED,
): Promise<DamagedOptions> {
  const data = folder(kind, values.data, positionals)
  const queries = numberOption('--limit', values.limit, { min: 1, max: 1_000_000, whole: true }) ?? most
  const suite = await readSuite(ATTACKS_FILE)
  const attacks = values.attacks?.split(',')
  for (const name of attacks ?? []) {
    if (!suite.attacks.some((attack) => attack.name === name)) throw new UsageError(`--attacks: there is no attack "${name}"`)
  }
  return { suite, data, distractors: (values.distractors ?? []).map((one) => path.resolve(one)), queries, attacks }
}

function folder(kind: string, data: string | undefined, positionals: string[]): string {
  refuse(positionals)
  if (data === undefined) throw new UsageError(`bench ${kind} needs --data`)
  return path.resolve(data)
}

function refuse([first]: string[]): void {
  if (first !== undefined) throw new UsageError(`"${first}" is not an option`)
}

async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, content)
  await rename(temporary, file)
}
