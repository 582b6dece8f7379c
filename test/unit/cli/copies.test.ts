import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ATTACKS_FILE } from '../../../cli/paths.ts'
import { readSuite, type AttackSuite } from '../../../cli/bench/attacks.ts'
import { benchCopies, evenlySpaced } from '../../../cli/bench/copies.ts'
import { DescriptorTable, HashTable } from '../../../cli/bench/tables.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import type { Inference } from '../../../core/inference/index.ts'
import { createRandom } from '../../../core/random.ts'

const none = () => false

describe('DescriptorTable', () => {
  const table = new DescriptorTable(4)
  table.set(0, Float32Array.of(1, 0))
  table.set(1, Float32Array.of(0.6, 0.8))
  table.set(2, Float32Array.of(0, 1))
  // 3 could not be read.

  it('counts who is nearer than the original', () => {
    expect(table.countAhead(Float32Array.of(1, 0), 0, none)).toBe(0)
    expect(table.countAhead(Float32Array.of(1, 0), 1, none)).toBe(1)
    expect(table.countAhead(Float32Array.of(1, 0), 2, none)).toBe(2)
  })

  it('counts another picture at the same distance against the original, but not an equal file', () => {
    const twins = new DescriptorTable(2)
    twins.set(0, Float32Array.of(1, 0))
    twins.set(1, Float32Array.of(1, 0))
    expect(twins.countAhead(Float32Array.of(1, 0), 0, none)).toBe(1)
    expect(twins.countAhead(Float32Array.of(1, 0), 0, (index) => index === 1)).toBe(0)
  })
})

describe('HashTable', () => {
  const table = new HashTable(4)
  table.set(0, 0xf000000000000001n)
  table.set(1, 0xf000000000000003n)
  table.set(2, 0x0fff000000000001n)

  it('finds by Hamming distance over all 64 bits', () => {
    expect(table.shareOfFirst(0xf000000000000001n, 0, none)).toBe(1)
    expect(table.shareOfFirst(0xf000000000000001n, 1, none)).toBe(0)
    expect(table.shareOfFirst(0x0fff000000000000n, 2, none)).toBe(1)
  })

  it('shares a hit among equally near pictures', () => {
    // One bit from 0, one bit from 1.
    const twins = new HashTable(3)
    twins.set(0, 0b01n)
    twins.set(1, 0b10n)
    expect(twins.shareOfFirst(0b11n, 0, none)).toBe(0.5)
    expect(twins.shareOfFirst(0b11n, 0, (index) => index === 1)).toBe(1)
  })
})

describe('evenlySpaced', () => {
  it('takes all when there are fewer, else spreads over the whole', () => {
    expect(evenlySpaced([1, 2, 3], 5)).toEqual([1, 2, 3])
    expect(evenlySpaced([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5)).toEqual([0, 2, 4, 6, 8])
  })
})

describe('bench copies', () => {
  let folder: string
  let suite: AttackSuite

  /** Describes a picture by 4 × 4 averages of its grey values: enough to tell blotches apart, and beaten by a mirror. */
  const inference = {
    async encode(inputs: Uint8Array[]) {
      return inputs.map((input) => {
        const cells = new Float32Array(16)
        for (let at = 0; at < input.length / 3; at++)
          cells[Math.floor(Math.floor(at / 112) / 28) * 4 + Math.floor((at % 112) / 28)]! += input[at * 3 + 1]!
        const mean = cells.reduce((sum, cell) => sum + cell, 0) / 16
        const length = Math.hypot(...cells.map((cell) => cell - mean))
        return cells.map((cell) => (cell - mean) / length)
      })
    },
  } as unknown as Inference

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lucidex-copies-'))
    const random = createRandom(3)
    for (const [place, count] of [
      ['data/one', 4],
      ['data/two', 4],
      ['others', 6],
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

  it('looks for each damaged picture among those of both folders', async () => {
    const warnings: string[] = []
    const log = { ...silentLog, warn: (message: string) => warnings.push(message) }
    const report = await benchCopies(
      { suite, data: path.join(folder, 'data'), distractors: path.join(folder, 'others'), queries: 300, attacks: ['jpeg-30', 'mirror'] },
      inference,
      log,
    )
    expect(report).toMatchObject({ queries: 8, database: 14 })
    expect(report.attacks.map(({ name }) => name)).toEqual(['jpeg-30', 'mirror'])
    const [jpeg, mirror] = report.attacks
    expect(jpeg).toMatchObject({ recallAt1: 1, recallAt10: 1, phashRecallAt1: 1 })
    expect(mirror!.recallAt1).toBeLessThan(0.6)
    expect(mirror!.recallAt10).toBeGreaterThanOrEqual(mirror!.recallAt1)
    expect(report.mean).toBeCloseTo((jpeg!.recallAt1 + mirror!.recallAt1) / 2)
    expect(report.millisecondsPerQuery).toBeGreaterThan(0)
    expect(warnings.join()).toContain('broken.jpg')
  })

  it('gives a picture the same damage whatever else is run', async () => {
    const run = (queries: number, attacks?: string[]) =>
      benchCopies({ suite, data: path.join(folder, 'data'), queries, attacks }, inference, silentLog)
    const all = await run(8)
    const one = await run(8, ['crop-30'])
    expect(all.attacks).toHaveLength(36)
    expect(one.attacks[0]).toEqual(all.attacks.find(({ name }) => name === 'crop-30'))
  })

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort()
    await expect(benchCopies({ suite, data: path.join(folder, 'data'), queries: 8, signal }, inference, silentLog)).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('names a folder that is not there', async () => {
    await expect(benchCopies({ suite, data: path.join(folder, 'nowhere'), queries: 1 }, inference, silentLog)).rejects.toMatchObject({
      code: 'FOLDER_NOT_FOUND',
    })
  })
})
