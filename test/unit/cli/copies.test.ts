import { createHash } from 'node:crypto'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSuite, type AttackSuite } from '../../../cli/bench/attacks.ts'
import { calibrate, threshold } from '../../../cli/bench/calibrate.ts'
import { benchCopies } from '../../../cli/bench/copies.ts'
import { damageAll, type DamagedOptions } from '../../../cli/bench/damaged.ts'
import { evenlySpaced, filesBelow } from '../../../cli/bench/pictureSet.ts'
import { chanceAmong, HashTable, standing, VectorTable } from '../../../cli/bench/tables.ts'
import { benchViews } from '../../../cli/bench/views.ts'
import type { Io } from '../../../cli/io.ts'
import { ATTACKS_FILE } from '../../../cli/paths.ts'
import { withEngine } from '../../../cli/session.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { QUERY_VIEWS } from '../../../core/images/queryViews.ts'
import { createRandom } from '../../../core/random.ts'

const none = () => false
const negative = Number.NEGATIVE_INFINITY

describe('tables', () => {
  it('compare a query with every entry, and leave out those never set', () => {
    const table = new VectorTable(3)
    table.set(0, Float32Array.of(1, 0, 0, 0))
    table.set(2, Float32Array.of(0, 0.5, 0, 2))
    const scores = table.scores([Float32Array.of(1, 0, 0, 0), Float32Array.of(1, 1, 1, 1)])
    expect(scores.map((one) => [...one])).toEqual([
      [1, negative, 0],
      [1, negative, 2.5],
    ])
    expect(table.get(1)).toBeUndefined()
  })

  it('compare hashes over all 64 bits', () => {
    const table = new HashTable(4)
    table.set(0, 0xf000000000000001n)
    table.set(1, 0xf000000000000003n)
    table.set(2, 0x0fff000000000001n)
    expect([...table.scores(0xf000000000000001n)]).toEqual([-0, -1, -16, negative])
  })
})

describe('standing', () => {
  it('counts who is nearer, and who is as near', () => {
    const scores = Float32Array.of(0.5, 0.9, 0.5, negative, 0.1)
    expect(standing(scores, 1, none)).toEqual({ ahead: 0, level: 0 })
    expect(standing(scores, 0, none)).toEqual({ ahead: 1, level: 1 })
    expect(standing(scores, 4, none)).toEqual({ ahead: 3, level: 0 })
  })

  it('takes whichever file of the same picture is nearest', () => {
    const scores = Float32Array.of(0.2, 0.9, 0.5)
    expect(standing(scores, 0, (index) => index === 1)).toEqual({ ahead: 0, level: 0 })
  })

  it('shares a hit among those that are level', () => {
    expect(chanceAmong(1, { ahead: 0, level: 0 })).toBe(1)
    expect(chanceAmong(1, { ahead: 0, level: 3 })).toBe(0.25)
    expect(chanceAmong(1, { ahead: 1, level: 0 })).toBe(0)
    expect(chanceAmong(10, { ahead: 8, level: 3 })).toBe(0.5)
    expect(chanceAmong(10, { ahead: 4, level: 1 })).toBe(1)
  })
})

describe('evenlySpaced', () => {
  it('takes all when there are fewer, else spreads over the whole', () => {
    expect(evenlySpaced([1, 2, 3], 5)).toEqual([1, 2, 3])
    expect(evenlySpaced([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5)).toEqual([0, 2, 4, 6, 8])
  })
})

describe('threshold', () => {
  const answer = (score: number, right: boolean) => ({ score, right })

  it('is the smallest score over which enough answers are right, wrong ones counted twice', () => {
    const answers = [answer(0.95, true), answer(0.9, true), answer(0.8, false), answer(0.7, true), answer(0.6, true), answer(0.5, false)]
    expect(threshold(answers, 4, 0.99)).toEqual({ minCosine: 0.9, precision: 1, recall: 0.5 })
    expect(threshold(answers, 4, 0.65)).toEqual({ minCosine: 0.6, precision: 0.6667, recall: 1 })
  })

  it('calls nothing a copy when the best answer is wrong', () => {
    expect(threshold([answer(0.9, false), answer(0.8, true)], 1, 0.99)).toEqual({ minCosine: 1, precision: 1, recall: 0 })
  })
})

describe('a bench asks the engine itself', () => {
  let folder: string
  let suite: AttackSuite
  const notes: string[] = []
  const io: Io = { print() {}, note: (text) => notes.push(text), progress() {}, env: {}, onInterrupt: () => () => {} }
  const options = (more: Partial<DamagedOptions>): DamagedOptions => ({
    suite,
    data: path.join(folder, 'data'),
    distractors: [path.join(folder, 'others')],
    queries: 300,
    ...more,
  })

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lucidex-copies-'))
    const random = createRandom(3)
    for (const [place, count] of [
      ['data/one', 2],
      ['data/two', 2],
      ['others', 4],
    ] as const) {
      await mkdir(path.join(folder, place), { recursive: true })
      for (let index = 0; index < count; index++) {
        const blotches = Buffer.from(Array.from({ length: 75 }, () => random.integer(256)))
        await sharp(blotches, { raw: { width: 5, height: 5, channels: 3 } })
          .resize(160, 120, { fit: 'fill' })
          .png()
          .toFile(path.join(folder, place, `${index}.png`))
      }
    }
    await writeFile(path.join(folder, 'others', 'broken.jpg'), 'no picture')
    suite = await readSuite(ATTACKS_FILE)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('looks for each damaged picture among those of all folders, the baselines beside it', async () => {
    const report = await withEngine({ io }, (engine) => benchCopies(options({ attacks: ['jpeg-30', 'mirror'] }), engine, io))
    expect(report).toMatchObject({ queries: 4, database: 8 })
    expect(report.attacks.map(({ name }) => name)).toEqual(['jpeg-30', 'mirror'])
    const [jpeg, mirror] = report.attacks
    expect(jpeg).toMatchObject({ recallAt1: 1, recallAt10: 1, phashRecallAt1: 1, rawRecallAt1: 1 })
    expect(mirror!.rawRecallAt1).toBeLessThan(0.6)
    expect(mirror!.recallAt10).toBeGreaterThanOrEqual(mirror!.recallAt1)
    expect(report.mean).toBeCloseTo((jpeg!.recallAt1 + mirror!.recallAt1) / 2)
    expect(report.copy.recall).toBeCloseTo((jpeg!.copyRecall + mirror!.copyRecall) / 2)
    expect(report.millisecondsPerQuery).toBeGreaterThan(0)
    expect(notes.join()).toContain('broken.jpg')
  })

  it('fits thresholds that keep their precision', async () => {
    const { copy, nearDuplicate, similar, fittedOn } = await withEngine({ io }, (engine) =>
      calibrate(options({ attacks: ['jpeg-10'] }), engine, io),
    )
    expect(copy.precision).toBeGreaterThanOrEqual(0.99)
    expect(nearDuplicate.precision).toBeGreaterThanOrEqual(0.9)
    expect(copy.minCosine).toBeGreaterThanOrEqual(nearDuplicate.minCosine)
    expect(nearDuplicate.minCosine).toBeGreaterThan(similar.minCosine)
    expect(fittedOn).toContain('damaged in 1 ways, looked for with and without their original among 8 pictures')
  })

  it('says what each view adds', async () => {
    const { stages, ...report } = await withEngine({ io }, ({ inference }) =>
      benchViews(options({ attacks: ['rotate-45', 'pad-40'] }), inference, silentLog),
    )
    expect(report).toMatchObject({ queries: 4, database: 8 })
    expect(stages.map(({ name }) => name)).toEqual(QUERY_VIEWS.map(({ name }) => name))
    const last = stages.at(-1)!
    expect(last.mean).toBeCloseTo((last.attacks[0]!.recallAt1 + last.attacks[1]!.recallAt1) / 2)
    expect(last.mean).toBeGreaterThanOrEqual(stages[0]!.mean)
  })

  it('names a folder that is not there', async () => {
    const data = path.join(folder, 'nowhere')
    await expect(withEngine({ io }, (engine) => benchCopies(options({ data }), engine, io))).rejects.toMatchObject({
      code: 'FOLDER_NOT_FOUND',
    })
  })

  it('gives a picture the same damage whatever else is run, and stops when it is told to', async () => {
    const files = await filesBelow(path.join(folder, 'data'))
    const damaged = async (originals: number[], attacks?: string[], signal?: AbortSignal) => {
      const seen: string[] = []
      await damageAll(originals, files, options({ attacks, signal }), async ({ file }) => {
        seen.push(
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        )
      })
      return seen
    }
    const all = await damaged([2])
    expect(new Set(all).size).toBe(36)
    expect(all).toContain((await damaged([0, 2], ['crop-30']))[1])
    await expect(damaged([1], undefined, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })
})
