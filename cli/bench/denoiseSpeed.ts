import { setTimeout } from 'node:timers/promises'
import { denoisePicture } from '../../core/denoise/index.ts'
import type { Tier } from '../../core/contract/index.ts'
import type { Picture } from '../../core/images/index.ts'
import type { Inference, Planes } from '../../core/inference/index.ts'
import { createRandom } from '../../core/random.ts'
import type { BenchContext } from './denoise.ts'
import { LOAD_MAX, settledLoad, watchOthers } from './load.ts'
import type { Network } from './network.ts'
import { median } from './pictureSet.ts'

/** Untiled, a picture of Kodak's size; tiled, one of 24 megapixels. */
const UNTILED = { width: 768, height: 512 }
const TILED = { width: 6000, height: 4000 }
const WARM_UPS = 2
const UNTILED_RUNS = 15
const TILED_RUNS = 3
const SIGMA = 25
/**
 * A session's threads wait for more work by spinning before they sleep. The next network to be measured would share the
 * cores with those of the last one, which a small one feels most. The app runs one at a time.
 */
const REST_MS = 50

export interface SpeedReport {
  threads: number
  /** One-minute load average before the measurement; null on Windows. */
  load: number | null
  /** Why there are no figures. */
  refused: string | null
  /** Seconds per megapixel by the denoiser's name: medians of repeated runs after warm-up. */
  untiled: Record<string, number>
  tiled: Record<string, number>
}

export interface SpeedOptions {
  /** Whole pictures in one run each, all in this process, in turns. */
  networks: Readonly<Record<string, Network>>
  /** Through the engine, in its own tiles. */
  tiers: readonly Tier[]
  /** What both compute with. */
  threads: number
  /** Wait so long for the load to fall. */
  waitSeconds: number
}

/**
 * Seconds per megapixel. A time measured beside other work is none: above a load of {@link LOAD_MAX}, before
 * or meanwhile, the figures are refused. Errors: those of the inference; an AbortError by `signal`.
 */
export async function benchSpeed(
  { networks, tiers, threads, waitSeconds }: SpeedOptions,
  inference: Inference,
  context: BenchContext,
): Promise<SpeedReport> {
  const report: SpeedReport = {
    threads,
    load: await settledLoad(waitSeconds, context),
    refused: null,
    untiled: {},
    tiled: {},
  }
  if (report.load !== null && report.load > LOAD_MAX) {
    return { ...report, refused: `the load average is ${report.load.toFixed(2)}, above ${LOAD_MAX}` }
  }
  const others = watchOthers()
  report.untiled = await measureUntiled(networks, context)
  report.tiled = await measureTiled(inference, tiers, context)
  const busy = others()
  if (busy > LOAD_MAX) return { ...report, refused: `other work took ${busy.toFixed(2)} processors meanwhile`, untiled: {}, tiled: {} }
  return report
}

/** Seconds per megapixel of whole pictures of {@link UNTILED}, by name. */
export async function measureUntiled(
  networks: SpeedOptions['networks'],
  { signal, onProgress }: BenchContext,
): Promise<Record<string, number>> {
  const { width, height } = UNTILED
  const random = createRandom(1)
  const picture: Planes = {
    ...UNTILED,
    data: Float32Array.from({ length: 3 * width * height }, () => 0.5 + (SIGMA / 255) * random.normal()),
  }
  const target = new Float32Array(picture.data.length)
  const seconds: Record<string, number[]> = Object.fromEntries(Object.keys(networks).map((name) => [name, []]))
  for (let run = -WARM_UPS; run < UNTILED_RUNS; run++) {
    for (const [name, network] of Object.entries(networks)) {
      signal?.throwIfAborted()
      onProgress?.(`Speed of ${name}, ${width} × ${height}`)
      await setTimeout(REST_MS, undefined, { signal })
      const started = performance.now()
      await network.run(picture, SIGMA, target)
      if (run >= 0) seconds[name]!.push((performance.now() - started) / 1000)
    }
  }
  return Object.fromEntries(Object.entries(seconds).map(([name, runs]) => [name, median(runs) / ((width * height) / 1e6)]))
}

async function measureTiled(
  inference: Inference,
  tiers: readonly Tier[],
  { signal, onProgress }: BenchContext,
): Promise<Record<string, number>> {
  const { width, height } = TILED
  const picture: Picture = {
    ...TILED,
    buffer: new SharedArrayBuffer(3 * width * height),
    channels: 3,
    bitDepth: 8,
    format: 'png',
    tags: {},
    profile: null,
    notes: [],
  }
  const samples = new Uint8Array(picture.buffer)
  const random = createRandom(1)
  const grain = Int8Array.from({ length: 65_537 }, () => Math.round(SIGMA * random.normal()))
  for (let index = 0; index < samples.length; index++) samples[index] = 128 + grain[index % grain.length]!
  const target = new SharedArrayBuffer(picture.buffer.byteLength)
  const found: Record<string, number> = {}
  for (const tier of tiers) {
    // One tile warms up: all have one shape.
    await inference.denoiseTile({ tier, source: picture, target, tile: inference.plan(tier, picture, 'file')[0]!, sigma: SIGMA })
    const seconds: number[] = []
    for (let run = 1; run <= TILED_RUNS; run++) {
      const started = performance.now()
      await denoisePicture(
        inference,
        picture,
        { tier, sigma: SIGMA, target },
        {
          checkpoint: async () => signal?.throwIfAborted(),
          onTile: (_, done, total) =>
            onProgress?.(`Speed of ${tier}, 24 megapixels, run ${run} of ${TILED_RUNS}: tile ${done} of ${total}`),
        },
      )
      seconds.push((performance.now() - started) / 1000)
    }
    found[tier] = median(seconds) / ((width * height) / 1e6)
  }
  return found
}
