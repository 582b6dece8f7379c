import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { choiceOption, EXIT, numberOption, parse, UsageError } from '../args.ts'
import { inOwnProcess, type Built, type Rebuilt, type Served } from '../bench/vectorIndex.ts'
import { storeVectors } from '../bench/vectorLibrary.ts'
import { clusteredSet, realDescriptors, realSet, uniformSet, VECTOR_SETS, type VectorSet, type VectorSetName } from '../bench/vectorSets.ts'
import { interruptible, quietLog, type Io } from '../io.ts'
import { ROOT } from '../paths.ts'
import { withEngine } from '../session.ts'
import { byteSize, duration, table } from '../table.ts'

const COUNT = 100_000
const DIMENSION = 128
const QUERIES = 200

export const INDEX_HELP = `bench index stores vectors as a library's, builds the index over them, opens it again and searches it, each in
a process of its own; recall is against an exact scan in double precision.

  --count N             how many (default ${COUNT})
  --dim N               numbers in each (default ${DIMENSION}; real ones have the encoder's)
  --vectors ${VECTOR_SETS.join('|')}   clusters on the sphere (default), no structure at all, or the descriptors of
                        pictures, varied where there are too few
  --data <dir>          the pictures (default: the folder retrieval of ../shared/data or LUCIDEX_DATA)
  --no-rebuild          leave out building it anew after deletions`

export interface IndexBenchReport {
  count: number
  dimension: number
  vectors: string
  recallAt10: number
  p50Ms: number
  p95Ms: number
  p95MsIngesting: number
  buildSeconds: number
  openSeconds: number
  /** Of the snapshot on disk. */
  bytes: number
  /** The process when it serves; the most that building and building anew took. */
  steadyBytes: number
  peakBytes: { build: number; serve: number; rebuild: number | null }
  build: Built
  serve: Served
  rebuild: Rebuilt | null
}

export async function runIndex(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, {
    count: { type: 'string' },
    dim: { type: 'string' },
    vectors: { type: 'string' },
    data: { type: 'string' },
    'no-rebuild': { type: 'boolean', default: false },
  })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  const count = numberOption('--count', values.count, { min: 1000, max: 10_000_000, whole: true }) ?? COUNT
  const dimension = numberOption('--dim', values.dim, { min: 8, max: 4096, whole: true }) ?? DIMENSION
  const name = choiceOption('--vectors', values.vectors, VECTOR_SETS) ?? 'clustered'
  if (name === 'real' && values.dim !== undefined) throw new UsageError('real vectors have the length that the encoder gives them')
  const data = path.resolve(values.data ?? path.join(io.env['LUCIDEX_DATA'] ?? path.join(ROOT, '..', 'shared', 'data'), 'retrieval'))

  const report = await interruptible(io, async (signal) => {
    const set = await openSet(name, { count, dimension, data, signal, io })
    const dir = await mkdtemp(path.join(tmpdir(), 'lucidex-index-'))
    try {
      await storeVectors(dir, set, count, { signal, onProgress: io.progress })
      io.progress(`Building the index over ${count} vectors`)
      const build = await inOwnProcess('build', dir, signal)
      io.progress('Opening and searching it')
      const serve = await inOwnProcess('serve', dir, signal)
      io.progress('Building it anew')
      const rebuild = values['no-rebuild'] ? null : await inOwnProcess('rebuild', dir, signal)
      return reportOf(count, set, build, serve, rebuild)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
  io.progress('')
  if (values.json) io.print(JSON.stringify(report, null, 2))
  else print(report, io)
  return EXIT.ok
}

async function openSet(
  name: VectorSetName,
  { count, dimension, data, signal, io }: { count: number; dimension: number; data: string; signal: AbortSignal; io: Io },
): Promise<VectorSet> {
  if (name === 'uniform') return uniformSet(dimension, QUERIES)
  if (name === 'clustered') return clusteredSet(dimension, QUERIES, count)
  const watched = { signal, onProgress: io.progress }
  const descriptors = await withEngine({ io }, ({ inference }) => realDescriptors(data, inference, quietLog(io), watched))
  return realSet(descriptors, QUERIES, count)
}

function reportOf(count: number, set: VectorSet, build: Built, serve: Served, rebuild: Rebuilt | null): IndexBenchReport {
  return {
    ...{ count, dimension: set.queries[0]!.length, vectors: set.about, recallAt10: serve.recallAt10 },
    ...{ p50Ms: serve.search.p50Ms, p95Ms: serve.search.p95Ms, p95MsIngesting: serve.ingesting.p95Ms },
    ...{ buildSeconds: build.seconds, openSeconds: serve.openSeconds, bytes: serve.bytes, steadyBytes: serve.steadyBytes },
    peakBytes: { build: build.peakBytes, serve: serve.peakBytes, rebuild: rebuild?.peakBytes ?? null },
    ...{ build, serve, rebuild },
  }
}

function print({ count, dimension, vectors, build, serve, rebuild }: IndexBenchReport, io: Io): void {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const times = ({ p50Ms, p95Ms }: { p50Ms: number; p95Ms: number }) => `p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}`
  const share = (value: number) => `${(value * 100).toFixed(2)} %`
  const rows = [
    ['vectors', `${count} × ${dimension}: ${vectors}`],
    ['recall@10', `${share(serve.recallAt10)} by ${serve.method}${serve.check ? `; its own check says ${share(serve.check.at10)}` : ''}`],
    ['search', times(serve.search)],
    ['search for 72', times(serve.app)],
    [`while ${Math.round(serve.ingesting.vectorsPerSecond)} a second are added`, times(serve.ingesting)],
    ...serve.filtered.map((filter) => [`among ${filter.share * 100} %`, `${times(filter)}, recall@10 ${share(filter.recallAt10)}`]),
    ['build', `${duration(build.seconds)}, at most ${byteSize(build.peakBytes)} in memory`],
    ['open', duration(serve.openSeconds)],
    ['in memory', `${byteSize(serve.steadyBytes)}, at most ${byteSize(serve.peakBytes)}`],
    ['on disk', byteSize(serve.bytes)],
    ...(rebuild
      ? [
          [
            'built anew without a quarter',
            `${duration(rebuild.seconds)}, at most ${byteSize(rebuild.peakBytes)} in memory; search ${times(rebuild.search)}`,
          ],
        ]
      : []),
    ['other programs', `${serve.othersBusy.toFixed(2)} processors busy`],
  ]
  io.print(table(rows))
}
