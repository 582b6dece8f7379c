import type { Engine } from '../../core/engine.ts'
import { readForQuery } from '../../core/images/index.ts'
import { quietLog, type Io } from '../io.ts'
import { indexForBench } from './askedLibrary.ts'
import { rawPixels } from './baselines.ts'
import { attacksOf, damageAll, type DamagedOptions } from './damaged.ts'
import { evenlySpaced, mean, median, readPictureSet } from './pictureSet.ts'
import { chanceAmong, standing } from './tables.ts'

export interface CopiesReport {
  attacks: AttackReport[]
  /** Means over the attacks. */
  mean: number
  meanAt10: number
  phashMean: number
  rawMean: number
  copy: CopyReport
  queries: number
  /** Pictures searched. */
  database: number
  /** Median time of a search by an undamaged picture's file, one at a time: reading, encoding, finding. */
  millisecondsPerQuery: number
}

/** Shares of the queries, 0..1. */
export interface AttackReport {
  name: string
  recallAt1: number
  recallAt10: number
  phashRecallAt1: number
  rawRecallAt1: number
  /** Queries whose original is called `copy`. */
  copyRecall: number
  /** Of all answers called `copy`, how many are right; null where none was called so. */
  copyPrecision: number | null
}

/** The answers called `copy`, over all attacks. */
export interface CopyReport {
  recall: number
  precision: number | null
  /** Queries for which, with the original taken out, something is still called a copy. */
  withoutOriginal: number
}

/** Answers asked for: wrong copies beyond these are not counted. */
const ANSWERS = 20
const TIMED = 30

/**
 * How often a damaged picture still finds its original first among all pictures of all folders, and how far
 * the word `copy` can be trusted: asked of the engine itself, in a library made for it.
 *
 * Beside the encoder, two descriptions answer the same queries: a 64-bit DCT hash (pHash) by Hamming
 * distance, and 16 × 16 raw pixels by correlation. Where several pictures are as near as the original,
 * their hit is shared out among them, as if ties were broken at random.
 */
export async function benchCopies(options: DamagedOptions, engine: Engine, io: Io): Promise<CopiesReport> {
  const library = await indexForBench(engine, [options.data, ...options.distractors], io)
  const files = library.own.map(({ path }) => path)
  const others = library.paths.filter((path) => !files.includes(path))
  const baselines = await readPictureSet([...files, ...others], undefined, quietLog(io), options)
  const originals = queriesAmong(files.length, options.queries)
  const tallies = attacksOf(options).map(([, { name }]) => new Tally(name))

  await damageAll(originals, files, options, async ({ original, attack, file }) => {
    const { perceptualHash, encoderInput } = await readForQuery(file)
    const results = await library.find(file, ANSWERS)
    const tally = tallies[attack]!
    const place = results.findIndex(({ item }) => item.id === library.own[original]!.id)
    if (place === 0) tally.first++
    if (place >= 0 && place < 10) tally.amongTen++
    const copies = results.flatMap(({ relation }, index) => (relation === 'copy' ? [index] : []))
    const wrong = copies.filter((index) => index !== place).length
    if (copies.length > wrong) tally.right++
    if (wrong > 0) tally.misled++
    tally.wrong += wrong
    // Equal bytes are one picture in the library, and one here.
    const isSame = (index: number) => baselines.entries[index]?.contentHash === baselines.entries[original]?.contentHash
    tally.hashed += chanceAmong(1, standing(baselines.hashes.scores(perceptualHash), original, isSame))
    tally.raw += chanceAmong(1, standing(baselines.raw.scores([rawPixels(encoderInput)])[0]!, original, isSame))
  })

  const attacks = tallies.map((tally) => tally.report(originals.length))
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
  const asked = originals.length * tallies.length
  return {
    attacks,
    mean: mean(attacks.map((attack) => attack.recallAt1)),
    meanAt10: mean(attacks.map((attack) => attack.recallAt10)),
    phashMean: mean(attacks.map((attack) => attack.phashRecallAt1)),
    rawMean: mean(attacks.map((attack) => attack.rawRecallAt1)),
    copy: {
      recall: sum(({ right }) => right) / asked,
      precision: precision(
        sum(({ right }) => right),
        sum(({ wrong }) => wrong),
      ),
      withoutOriginal: sum(({ misled }) => misled) / asked,
    },
    queries: originals.length,
    database: library.paths.length,
    millisecondsPerQuery: await timeQueries(
      evenlySpaced(originals, TIMED).map((original) => files[original]!),
      library.find,
    ),
  }
}

/** Which of `count` pictures are damaged: evenly spaced. */
export function queriesAmong(count: number, wanted: number): number[] {
  return evenlySpaced(
    Array.from({ length: count }, (_, index) => index),
    wanted,
  )
}

/** What is counted of one attack's queries. */
class Tally {
  readonly name: string
  first = 0
  amongTen = 0
  hashed = 0
  raw = 0
  /** Answers called `copy` that are the original, and those that are not. */
  right = 0
  wrong = 0
  /** Queries with a wrong answer called `copy`. */
  misled = 0

  constructor(name: string) {
    this.name = name
  }

  report(count: number): AttackReport {
    return {
      name: this.name,
      recallAt1: this.first / count,
      recallAt10: this.amongTen / count,
      phashRecallAt1: this.hashed / count,
      rawRecallAt1: this.raw / count,
      copyRecall: this.right / count,
      copyPrecision: precision(this.right, this.wrong),
    }
  }
}

function precision(right: number, wrong: number): number | null {
  return right + wrong === 0 ? null : right / (right + wrong)
}

async function timeQueries(files: readonly string[], find: (file: string, k: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (const file of files) {
    const started = performance.now()
    await find(file, ANSWERS)
    times.push(performance.now() - started)
  }
  return median(times)
}
