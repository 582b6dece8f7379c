import type { Log } from '../../core/deps.ts'
import { readForSearch } from '../../core/images/index.ts'
import { QUERY_VIEWS } from '../../core/images/queryViews.ts'
import type { Inference } from '../../core/inference/index.ts'
import { looksOf } from '../../core/search/byPicture.ts'
import { queriesAmong } from './copies.ts'
import { attacksOf, damageAll, type DamagedOptions } from './damaged.ts'
import { evenlySpaced, filesBelow, median, readPictureSet } from './pictureSet.ts'
import { chanceAmong, standing, type VectorTable } from './tables.ts'

const TIMED = 30

export interface ViewsReport {
  /** With the first views alone, then with one more each, to all of them. */
  stages: {
    /** The view that this stage adds. */
    name: string
    /** Mean recall@1 over the attacks, by descriptors alone. */
    mean: number
    attacks: { name: string; recallAt1: number }[]
  }[]
  queries: number
  database: number
  /** Median time of all views of an undamaged picture in one batch, and of the whole picture alone: encoding and scanning. */
  milliseconds: number
  millisecondsWhole: number
}

/** What each of a query's views (core/images/queryViews.ts) adds to the recall of the descriptors, and what they cost together. */
export async function benchViews(options: DamagedOptions, inference: Inference, log: Log): Promise<ViewsReport> {
  const own = await filesBelow(options.data)
  const others = await Promise.all(options.distractors.map(filesBelow))
  const set = await readPictureSet([...own, ...others.flat()], inference, log, options)
  const originals = queriesAmong(own.length, options.queries).filter((index) => set.entries[index])
  const attacks = attacksOf(options).map(([, { name }]) => name)
  const found = QUERY_VIEWS.map(() => attacks.map(() => 0))

  await damageAll(originals, own, options, async ({ original, attack, file }) => {
    const { views } = await readForSearch(file)
    const looks = await looksOf(views, inference)
    const scores = set.descriptors.scores(looks.map(({ descriptor }) => descriptor))
    const isSame = (index: number) => set.entries[index]?.contentHash === set.entries[original]!.contentHash
    const best = new Float32Array(set.entries.length).fill(Number.NEGATIVE_INFINITY)
    for (const [stage, view] of QUERY_VIEWS.entries()) {
      const at = views.findIndex((one) => one.view === view)
      if (at >= 0) for (const [index, score] of scores[at]!.entries()) best[index] = Math.max(best[index]!, score - view.handicap)
      found[stage]![attack]! += chanceAmong(1, standing(best, original, isSame))
    }
  })
  return {
    stages: QUERY_VIEWS.map(({ name }, stage) => {
      const recalls = attacks.map((attack, at) => ({ name: attack, recallAt1: found[stage]![at]! / originals.length }))
      return { name, mean: recalls.reduce((sum, { recallAt1 }) => sum + recallAt1, 0) / recalls.length, attacks: recalls }
    }),
    queries: originals.length,
    database: set.count,
    ...(await timeViews(
      evenlySpaced(originals, TIMED).map((original) => own[original]!),
      set.descriptors,
      inference,
    )),
  }
}

/** One picture at a time. */
async function timeViews(files: readonly string[], descriptors: VectorTable, inference: Inference) {
  const all: number[] = []
  const whole: number[] = []
  for (const file of files) {
    const { views } = await readForSearch(file)
    for (const [seen, times] of [
      [views.slice(0, 1), whole],
      [views, all],
    ] as const) {
      const started = performance.now()
      const looks = await looksOf(seen, inference)
      descriptors.scores(looks.map(({ descriptor }) => descriptor))
      times.push(performance.now() - started)
    }
  }
  return { milliseconds: median(all), millisecondsWhole: median(whole) }
}
