import path from 'node:path'
import type { Engine } from '../../core/engine.ts'
import type { Io } from '../io.ts'
import { indexForBench, type AskedLibrary } from './askedLibrary.ts'
import { queriesAmong } from './copies.ts'
import { damageAll, type DamagedOptions } from './damaged.ts'
import { evenlySpaced, inFlight } from './pictureSet.ts'

/** The manifest's `relations` of an encoder: the smallest score of each relation, and what it was fitted on. */
export interface Relations {
  copy: FittedRelation
  nearDuplicate: FittedRelation
  similar: {
    minCosine: number
    /** The 99.9th percentile of the scores between different pictures; `minCosine` lies below `nearDuplicate`, whatever this is. */
    percentile999: number
  }
  fittedOn: string
}

interface FittedRelation {
  minCosine: number
  /** Of all answers that score this much, with the original among the pictures and without it, how many are right. */
  precision: number
  /** Queries whose original scores this much. */
  recall: number
}

interface Answer {
  score: number
  right: boolean
}

/** How many pictures `bench copies` damages by default. */
export const BENCHED = 300

const COPY_PRECISION = 0.99
const NEAR_DUPLICATE_PRECISION = 0.9
/** Answers asked for: the wrong ones that decide a threshold are among the first. */
const ANSWERS = 21
/** Of an undamaged picture: the thousandth of a library of any bench is among them. */
const NEIGHBOURS = 100
/** `similar` begins at least this much below `nearDuplicate`. */
const STEP = 0.02

/**
 * Fits the scores from which an answer is called a copy, a near duplicate, or similar, to the app's own
 * search. The pictures damaged are of those that `bench copies` does not damage. Every query counts twice,
 * with its original among the pictures and with it taken out (then all answers are wrong): a copy is looked
 * for as often in vain. The more pictures a library holds, the more chances there are of a high wrong score:
 * the precision is that among this many.
 */
export async function calibrate(options: DamagedOptions, engine: Engine, io: Io): Promise<Relations> {
  const library = await indexForBench(engine, [options.data, ...options.distractors], io)
  const files = library.own.map((picture) => picture.path)
  const benched = new Set(queriesAmong(files.length, BENCHED))
  const free = [...files.keys()].filter((index) => !benched.has(index))
  const originals = evenlySpaced(free.length > 0 ? free : [...files.keys()], options.queries)
  const answers: Answer[] = []
  let queries = 0
  await damageAll(originals, files, options, async ({ original, file }) => {
    for (const { item, score } of await library.find(file, ANSWERS)) answers.push({ score, right: item.id === library.own[original]!.id })
    queries++
  })
  answers.sort((a, b) => b.score - a.score)
  const copy = threshold(answers, queries, COPY_PRECISION)
  const nearDuplicate = threshold(answers, queries, NEAR_DUPLICATE_PRECISION)
  const percentile = await betweenDifferent(originals, library, options.signal)
  const names = [options.data, ...options.distractors].map((folder) => path.basename(folder)).join(' and ')
  return {
    copy,
    nearDuplicate,
    similar: { minCosine: rounded(Math.min(percentile, nearDuplicate.minCosine - STEP)), percentile999: rounded(percentile) },
    fittedOn:
      `${originals.length} pictures of ${path.basename(options.data)} that bench copies does not ask by, damaged in ` +
      `${queries / originals.length} ways, looked for with and without their original among ${library.paths.length} pictures ` +
      `(${names}) by the app's own search; lucidex bench calibrate`,
  }
}

/**
 * The smallest score over which at least `wanted` of the answers (best first) are right. Wrong ones count
 * twice: once with the original there, once without.
 */
export function threshold(answers: readonly Answer[], queries: number, wanted: number): FittedRelation {
  let [right, wrong] = [0, 0]
  let fitted: FittedRelation = { minCosine: 1, precision: 1, recall: 0 }
  for (const [place, answer] of answers.entries()) {
    if (answer.right) right++
    else wrong += 2
    const precision = right / (right + wrong)
    // Rounded down it still lets this answer in, and may not let in the next.
    const minCosine = rounded(answer.score, Math.floor)
    const next = answers[place + 1]?.score ?? Number.NEGATIVE_INFINITY
    if (precision >= wanted && next < minCosine) fitted = { minCosine, precision: rounded(precision), recall: rounded(right / queries) }
  }
  return fitted
}

/** The 99.9th percentile of what undamaged pictures score with other ones. */
async function betweenDifferent(originals: readonly number[], library: AskedLibrary, signal: AbortSignal | undefined): Promise<number> {
  const scores: number[] = []
  await inFlight(originals, signal, async (original) => {
    const { id, path: file } = library.own[original]!
    for (const { item, score } of await library.find(file, NEIGHBOURS)) if (item.id !== id) scores.push(score)
  })
  const pairs = originals.length * (library.paths.length - 1)
  return scores.sort((a, b) => b - a)[Math.floor(pairs * 0.001)] ?? 1
}

function rounded(value: number, how: (value: number) => number = Math.round): number {
  return how(value * 1e4) / 1e4
}
