import { existsSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { choiceOption, EXIT, numberOption, parse, UsageError } from '../args.ts'
import { drawPictures } from '../bench/drawnPictures.ts'
import { benchIngest, indexAgain, type IngestContext, type SpeedReport } from '../bench/ingest.ts'
import { LOAD_MAX, settledLoad } from '../bench/load.ts'
import { runMeasured } from '../bench/peakMemory.ts'
import { interruptible, type Io } from '../io.ts'
import { ROOT } from '../paths.ts'
import { byteSize, duration, table } from '../table.ts'

const PARTS = ['large', 'small', 'memory', 'unchanged'] as const
type Part = (typeof PARTS)[number]

const LARGE = { count: 300, width: 4000, height: 3000 }
const TINY = { count: 20_000, width: 320, height: 240 }
/** Memory is measured for all of the small files and for so small a share of them. */
const SHARE = 0.1

/** What each part must reach. */
const TARGETS = { large: 0.75, small: 0.45, memoryGrowth: 1.1, unchangedSeconds: 3 }

export const INGEST_HELP = `bench ingest measures how the library takes in folders of pictures, which it draws into a folder of its own:
large, the speed beside bare sharp thumbnails of the same files, for 300 JPEGs of 12 megapixels; small, the same for
the small photographs of --data; memory, the most that the engine and its decoders hold for 2,000 and for 20,000
files; unchanged, indexing 20,000 files again.

  --only ${PARTS.join('|')}   one part of it
  --count N             of N pictures instead
  --data <dir>          the small photographs (default: photos-1000 of the shared data, where there is one)
  --wait <seconds>      wait so long for the load to fall to ${LOAD_MAX} (default 300); above it speeds are refused`

interface MemoryReport {
  files: number
  /** Null where there is no /proc. */
  peakBytes: number | null
}

interface UnchangedReport {
  files: number
  decoded: number
  seconds: number | null
  load: number | null
}

interface IngestReport {
  large?: SpeedReport
  small?: SpeedReport
  memory?: MemoryReport[]
  unchanged?: UnchangedReport
}

export async function runIngest(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, {
    only: { type: 'string' },
    count: { type: 'string' },
    data: { type: 'string' },
    wait: { type: 'string' },
  })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  const only = choiceOption('--only', values.only, PARTS)
  const count = numberOption('--count', values.count, { min: 10, max: 1_000_000, whole: true })
  const waitSeconds = numberOption('--wait', values.wait, { min: 0, max: 3600 }) ?? 300
  const photographs = values.data === undefined ? sharedPhotographs(io) : path.resolve(values.data)
  const wants = (part: Part) => only === undefined || only === part

  return interruptible(io, async (signal) => {
    // The library names folders by their real paths.
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lucidex-ingest-')))
    const context: IngestContext = { io, signal, waitSeconds }
    const report: IngestReport = {}
    try {
      if (wants('large')) {
        const large = path.join(folder, 'large')
        await drawPictures(large, { ...LARGE, count: count ?? LARGE.count, signal, onProgress: io.progress })
        report.large = await benchIngest(large, context)
        await rm(large, { recursive: true })
      }
      if (wants('small') && photographs === undefined) {
        io.note('SKIPPED small, for want of photos-1000: name a folder of small photographs with --data')
      } else if (wants('small')) {
        report.small = await benchIngest(photographs!, context)
      }
      if (wants('memory') || wants('unchanged')) Object.assign(report, await measureTiny(folder, wants, count ?? TINY.count, context))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    io.progress('')
    if (values.json) io.print(JSON.stringify({ cores: availableParallelism(), ...report }, null, 2))
    else print(report, io)
    return isRefused(report) ? EXIT.someFailed : EXIT.ok
  })
}

/** Each index in a process of its own: what an engine holds is seen from its start to its end. */
async function measureTiny(folder: string, wants: (part: Part) => boolean, count: number, context: IngestContext): Promise<IngestReport> {
  const { io, signal, waitSeconds } = context
  const script = path.join(ROOT, 'cli', 'lucidex.mjs')
  const report: IngestReport = {}
  const libraryOf = (files: number) => path.join(folder, `library-${files}`)
  const picturesOf = (files: number) => path.join(folder, `pictures-${files}`)
  const sizes = wants('memory') ? [Math.round(count * SHARE), count] : [count]
  for (const files of sizes) {
    await drawPictures(picturesOf(files), { ...TINY, count: files, signal, onProgress: io.progress })
    io.progress(`Indexing ${files} files in a process of its own`)
    const { peakBytes } = await runMeasured(script, ['index', picturesOf(files), '--library', libraryOf(files)], signal)
    if (wants('memory')) (report.memory ??= []).push({ files, peakBytes })
  }
  if (wants('unchanged')) {
    const load = await settledLoad(waitSeconds, { signal, onProgress: io.progress })
    const { seconds, report: index } = await indexAgain(picturesOf(count), libraryOf(count), io)
    const quiet = load === null || load <= LOAD_MAX
    report.unchanged = { files: index.scanned, decoded: index.indexed, seconds: quiet ? seconds : null, load }
  }
  return report
}

function sharedPhotographs(io: Io): string | undefined {
  const data = io.env['LUCIDEX_DATA'] ?? path.resolve(ROOT, '../shared/data')
  const found = path.join(data, 'retrieval', 'photos-1000')
  return existsSync(found) ? found : undefined
}

function isRefused({ large, small, unchanged }: IngestReport): boolean {
  return [large, small].some((speed) => speed !== undefined && speed.refused !== null) || unchanged?.seconds === null
}

function print({ large, small, memory, unchanged }: IngestReport, io: Io): void {
  const rows = [
    { name: 'large', speed: large, target: TARGETS.large },
    { name: 'small', speed: small, target: TARGETS.small },
  ]
  const measured = rows.flatMap(({ name, speed, target }) =>
    speed && speed.refused === null
      ? [
          [
            name,
            String(speed.pictures),
            byteSize(speed.bytes),
            speed.bare!.toFixed(1),
            speed.library!.toFixed(1),
            speed.ratio!.toFixed(3),
          ].concat(`≥ ${target}`),
        ]
      : [],
  )
  if (measured.length > 0) {
    io.print(table([['', 'pictures', 'a file', 'bare/s', 'library/s', 'ratio', 'target'], ...measured]))
    io.print(`${availableParallelism()} cores`)
  }
  for (const { name, speed } of rows) if (speed && speed.refused !== null) io.print(`No speed of ${name}: ${speed.refused}.`)
  for (const { files, peakBytes } of memory ?? []) {
    io.print(`Peak memory for ${files} files: ${peakBytes === null ? 'unknown on this system' : byteSize(peakBytes)}`)
  }
  const [few, many] = memory ?? []
  if (few?.peakBytes && many?.peakBytes) {
    io.print(`That is ${(many.peakBytes / few.peakBytes).toFixed(2)} times as much (target: at most ${TARGETS.memoryGrowth})`)
  }
  if (unchanged) {
    const { files, decoded, seconds, load } = unchanged
    const time = seconds === null ? `no time, the load average is ${load!.toFixed(2)}, above ${LOAD_MAX}` : duration(seconds)
    io.print(`${files} unchanged files again: ${time} (target: at most ${TARGETS.unchangedSeconds} s), ${decoded} decoded`)
  }
}
