import { beforeEach, expect, test, vi } from 'vitest'
import { benchSpeed } from '../../../cli/bench/denoiseSpeed.ts'
import { denoiseMarkdown, FFDNET } from '../../../cli/bench/denoiseTable.ts'
import type { Network } from '../../../cli/bench/network.ts'
import { measureTiling } from '../../../cli/bench/tiling.ts'
import { HalvingInference } from '../denoise/halving.ts'

const surroundings = vi.hoisted(() => ({ load: 0.1 as number | null, others: 0 }))
vi.mock('../../../cli/bench/load.ts', async (original) => ({
  ...(await original<typeof import('../../../cli/bench/load.ts')>()),
  settledLoad: async () => surroundings.load,
  watchOthers: () => () => surroundings.others,
}))

const context = { log: { info() {}, warn() {}, error() {} } }
beforeEach(() => Object.assign(surroundings, { load: 0.1, others: 0 }))

/** A network that takes so many milliseconds. */
function waiting(milliseconds: number): Network & { runs: number } {
  return {
    runs: 0,
    async run(picture) {
      this.runs++
      const end = performance.now() + milliseconds
      while (performance.now() < end);
      return picture
    },
    release: async () => {},
  }
}

const measure = (networks: Record<string, Network>) =>
  benchSpeed({ networks, tiers: [], threads: 1, waitSeconds: 0 }, new HalvingInference(), context)

test('seconds per megapixel of networks in turns, and what they are of FFDNet', async () => {
  const networks = { fast: waiting(4), [FFDNET]: waiting(40) }
  const report = await measure(networks)
  expect(report.refused).toBeNull()
  expect(networks.fast.runs).toBe(networks[FFDNET]!.runs)
  expect(report.untiled['fast']! * 0.393216).toBeGreaterThanOrEqual(0.004)
  expect(report.untiled[FFDNET]! * 0.393216).toBeGreaterThanOrEqual(0.04)
  const text = denoiseMarkdown({ speed: report })
  expect(text).toContain(`${(report.untiled['fast']! / report.untiled[FFDNET]!).toFixed(2)}×`)
  expect(text).toContain('load average before: 0.10')
})

test.each([
  { load: 0.31, others: 0, reason: 'the load average is 0.31, above 0.3' },
  { load: 0.1, others: 0.5, reason: 'other work took 0.50 processors meanwhile' },
  { load: null, others: 0.5, reason: 'other work took 0.50 processors meanwhile' },
])('beside other work no speed is told: $reason', async ({ load, others, reason }) => {
  Object.assign(surroundings, { load, others })
  const network = waiting(0)
  const report = await measure({ fast: network })
  expect(report).toMatchObject({ refused: reason, untiled: {}, tiled: {} })
  if (load === 0.31) expect(network.runs).toBe(0)
  expect(denoiseMarkdown({ speed: report })).toContain(`not measured: ${reason}`)
})

test('the margin is what a network sees, rounded up to the stride; nothing further away counts', async () => {
  // Adds what lies 20 pixels to the left: nothing beyond the edge.
  const looking: Network = {
    async run({ data, width, height }) {
      return { data: data.map((value, index) => (index % width >= 20 ? value + data[index - 20]! : value)), width, height }
    },
    release: async () => {},
  }
  const { margin, worst } = await measureTiling(looking, 8)
  expect(margin).toBe(24)
  expect(worst.at(-1)).toEqual({ margin: 24, difference: 0 })
  expect(worst[2]!.difference).toBeGreaterThan(100)
})
