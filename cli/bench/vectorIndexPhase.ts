/** One phase of `bench index`, as a process: see ./vectorIndex.ts. Arguments: the phase and the library's folder. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { vectorQueries, type LibraryDatabase } from '../../core/db/index.ts'
import { createRandom } from '../../core/random.ts'
import type { VectorIndex } from '../../core/vectors/index.ts'
import { watchOthers } from './load.ts'
import { draw, K, type Built, type Latency, type Phases, type Rebuilt, type Served, type Truth } from './vectorIndex.ts'
import { openIndex, openVectors, TRUTH_FILE } from './vectorLibrary.ts'

/** Searches whose times count, after some that do not. */
const SEARCHES = 1000
const WARMING = 50
/** What the app asks for: core/search/find. */
const APP_K = 72
/** More than the fastest machine indexes pictures, and for so long. */
const INGEST = { perSecond: 200, batch: 8, seconds: 5 }

const [phase, dir] = process.argv.slice(2) as [keyof Phases, string]
const truth = JSON.parse(await readFile(path.join(dir, TRUTH_FILE), 'utf8')) as Truth
const queries = truth.queries.map((query) => Float32Array.from(query))
const database = openVectors(dir)
const phases: { [P in keyof Phases]: (database: LibraryDatabase) => Promise<Phases[P]> } = { build, serve, rebuild }
const result = await phases[phase](database)
database.close()
process.send!(result, () => process.disconnect())

async function build(database: LibraryDatabase): Promise<Built> {
  const begun = performance.now()
  const index = await openIndex(database, truth.dimension)
  await index.settled()
  const seconds = since(begun)
  await index.close()
  return { seconds, peakBytes: peak() }
}

async function serve(database: LibraryDatabase): Promise<Served> {
  const begun = performance.now()
  const index = await openIndex(database, truth.dimension)
  while (!index.status().upToDate) await sleep(1)
  const openSeconds = since(begun)
  // The check that follows is not part of opening.
  await index.settled()
  const others = watchOthers()
  const found = await Promise.all(queries.map((query) => index.search(query, K)))
  const search = await timed((at) => index.search(queries[at % queries.length]!, K))
  const app = await timed((at) => index.search(queries[at % queries.length]!, APP_K))
  const filtered = []
  for (const { share, nearest } of truth.filtered) {
    const images = imagesOf(share)
    const latency = await timed((at) => index.search(queries[at % nearest.length]!, K, images), nearest.length)
    const answers = await Promise.all(nearest.map((_, at) => index.search(queries[at]!, K, images)))
    filtered.push({ share, ...latency, recallAt10: recall(answers, nearest) })
  }
  const ingesting = await whileIngesting(index, database)
  const { recall: check } = index.status()
  const steadyBytes = process.memoryUsage().rss
  const report = {
    ...{ openSeconds, method: found[0]!.method, recallAt10: recall(found, truth.nearest), search, app, ingesting, filtered },
    check: check && { at10: check.at10, samples: check.samples },
    ...{ steadyBytes, peakBytes: peak(), bytes: index.bytes(), othersBusy: others() },
  }
  await index.close()
  return report
}

/** Deletes every fourth vector, by which the graph is built anew, and searches meanwhile. */
async function rebuild(database: LibraryDatabase): Promise<Rebuilt> {
  const index = await openIndex(database, truth.dimension)
  await index.settled()
  const begun = performance.now()
  index.removed(Array.from({ length: Math.floor(truth.count / 4) }, (_, at) => at * 4 + 1))
  const upkeep = { isDone: false }
  const settled = index.settled().finally(() => (upkeep.isDone = true))
  const times: number[] = []
  while (!upkeep.isDone) {
    const before = performance.now()
    await index.search(queries[times.length % queries.length]!, K)
    times.push(performance.now() - before)
    await sleep(20)
  }
  await settled
  const seconds = since(begun)
  await index.close()
  return { seconds, peakBytes: peak(), search: latencyOf(times) }
}

/** Vectors are stored and added in batches, as an index job does, between searches some milliseconds apart. */
async function whileIngesting(index: VectorIndex, { db }: LibraryDatabase): Promise<Served['ingesting']> {
  const stored = vectorQueries(db)
  const random = createRandom(4)
  const encoder = index.encoderId()
  const begun = performance.now()
  const times: number[] = []
  let added = 0
  const another = (image: number) => {
    const vector = queries[image % queries.length]!.map((value) => value + 0.05 * random.normal())
    const length = Math.hypot(...vector)
    return { image, vector: vector.map((value) => value / length) }
  }
  while (since(begun) < INGEST.seconds) {
    if (added < since(begun) * INGEST.perSecond) {
      const batch = Array.from({ length: INGEST.batch }, (_, at) => another(truth.count + added + at + 1))
      index.added(db.transaction(() => batch.map(({ image, vector }) => ({ id: stored.insert(image, encoder, vector), image, vector })))())
      added += batch.length
    }
    const before = performance.now()
    await index.search(queries[times.length % queries.length]!, K)
    times.push(performance.now() - before)
    await sleep(5)
  }
  const vectorsPerSecond = added / since(begun)
  await index.settled()
  return { ...latencyOf(times), vectorsPerSecond }
}

function imagesOf(share: number): Uint32Array {
  return Uint32Array.from({ length: truth.count }, (_, at) => at + 1).filter((image) => draw(image) < share)
}

async function timed(search: (at: number) => Promise<unknown>, searches = SEARCHES): Promise<Latency> {
  const times: number[] = []
  for (let at = 0; at < searches + WARMING; at++) {
    const before = performance.now()
    await search(at)
    if (at >= WARMING) times.push(performance.now() - before)
  }
  return latencyOf(times)
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return { p50Ms: at(0.5), p95Ms: at(0.95) }
}

/** The mean share of the right images that were found. */
function recall(answers: readonly { matches: { image: number }[] }[], right: readonly number[][]): number {
  const shares = answers.map(({ matches }, at) => {
    const found = new Set(matches.map(({ image }) => image))
    return right[at]!.length === 0 ? 1 : right[at]!.filter((image) => found.has(image)).length / right[at]!.length
  })
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

function since(begun: number): number {
  return (performance.now() - begun) / 1000
}

/** The most that the process was in memory, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024
}
