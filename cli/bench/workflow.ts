import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { DenoiseTile, JobSpecInput, PixelRect, Tier } from '../../core/contract/index.ts'
import type { Engine } from '../../core/engine.ts'
import { createRandom } from '../../core/random.ts'
import { followJob } from '../session.ts'
import { quietLog, type Io } from '../io.ts'
import { measureUntiled } from './denoiseSpeed.ts'
import type { Network } from './network.ts'
import { median } from './pictureSet.ts'

/** What the denoise view and the batch are timed with. */
const LARGE = { width: 6000, height: 4000 }
const SMALL = { width: 1600, height: 1200 }
const QUEUE = 50
const SIGMA = 10
/** A window of so many pixels shows the picture. */
const SCREEN = { width: 1280, height: 800 }
/** So many screen pixels are the first part of the screen that counts as seen. */
const FIRST = 512 ** 2
const VIEW_RUNS = 5

export interface ViewTimes {
  /** Medians of {@link VIEW_RUNS} pictures opened anew, in seconds. `decode`: until the samples are in the engine; the rest from its end on. */
  decode: number
  /** Until the picture is open. */
  estimate: number
  /** Until {@link FIRST} screen pixels, outward from the middle, are denoised, encoded and fetched; the estimate included. */
  first: number
  /** Until all of the screen is. */
  whole: number
}

export interface WorkflowReport {
  /** The picture fitted to the window, and its middle at 1:1; fast tier. */
  fitted: ViewTimes
  actualSize: ViewTimes
  /** A 24-megapixel JPEG to JPEG with best, the second time. `bound`: its megapixels times the untiled rate of this run. */
  file: { seconds: number; bound: number; ratio: number }
  /** Fifty pictures with best: the sum of their steps' seconds, one after the other, over the time it took. */
  queue: { pictures: number; seconds: number; bound: number; overlap: number }
}

export interface WorkflowContext {
  folder: string
  /** The denoiser `best`, whole pictures in one run in this process. */
  untiled: Network
  io: Io
  signal: AbortSignal
}

/** What a person waits for, through the engine's own procedures. Errors: those of the engine; an AbortError by `signal`. */
export async function benchWorkflow(engine: Engine, { folder, untiled, io, signal }: WorkflowContext): Promise<WorkflowReport> {
  io.progress('Drawing pictures')
  const large = path.join(folder, 'large.jpg')
  await drawNoisy(large, LARGE, 1)
  const queue = path.join(folder, 'queue')
  await mkdir(queue)
  for (let index = 0; index < QUEUE; index++) await drawNoisy(path.join(queue, `${index}.jpg`), SMALL, index)
  signal.throwIfAborted()

  io.progress('Opening a picture')
  const scale = Math.min(SCREEN.width / LARGE.width, SCREEN.height / LARGE.height)
  const fitted = await timeView(engine, io, large, { x: 0, y: 0, ...LARGE }, scale)
  const [x, y] = [(LARGE.width - SCREEN.width) / 2, (LARGE.height - SCREEN.height) / 2]
  const actualSize = await timeView(engine, io, large, { x, y, ...SCREEN }, 1)
  signal.throwIfAborted()

  const untiledRate = async () => (await measureUntiled({ best: untiled }, { signal, log: quietLog(io) }))['best']!
  const before = await untiledRate()
  io.progress('A 24-megapixel JPEG')
  // Once before, as the untiled network is warmed up.
  await timeExport(engine, io, large, path.join(folder, 'warm-up'), 'best')
  const file = await timeExport(engine, io, large, path.join(folder, 'out'), 'best')
  io.progress(`A queue of ${QUEUE}`)
  const batch = await timeExport(engine, io, queue, path.join(folder, 'outs'), 'best')
  const rate = (before + (await untiledRate())) / 2
  await rm(path.join(folder, 'outs'), { recursive: true, force: true })

  const bound = rate * megapixels(LARGE)
  return {
    fitted,
    actualSize,
    file: { seconds: file.seconds, bound, ratio: file.seconds / bound },
    queue: { pictures: QUEUE, seconds: batch.seconds, bound: rate * QUEUE * megapixels(SMALL), overlap: batch.steps / batch.seconds },
  }
}

/** Edges, gradients and noise: a JPEG of usual size. */
export async function drawNoisy(file: string, { width, height }: typeof LARGE, seed: number): Promise<void> {
  const random = createRandom(seed)
  const noise = Float32Array.from({ length: 99_991 }, () => SIGMA * random.normal())
  const samples = new Uint8Array(3 * width * height)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = 128 + 60 * Math.sin(x / 300 + seed) * Math.cos(y / 220) + ((x + y / 3) % 700 < 350 ? 20 : -20)
      for (let colour = 0; colour < 3; colour++, at++)
        samples[at] = Math.min(255, Math.max(0, level + 9 * colour + noise[at % noise.length]!))
    }
  }
  await sharp(samples, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toFile(file)
}

async function timeView(engine: Engine, io: Io, file: string, view: PixelRect, scale: number): Promise<ViewTimes> {
  const runs: ViewTimes[] = []
  // The first one loads the models, and tells how large the window is.
  for (let run = -1; run < VIEW_RUNS; run++) {
    const { decode, estimate, sessionId } = await timeOpening(engine, file)
    const { first, whole } = await timePreview(engine, io, sessionId, view, scale)
    if (run >= 0) runs.push({ decode, estimate, first: estimate + first, whole: estimate + whole })
    await engine.api.denoise.close({ sessionId })
  }
  const middle = (name: keyof ViewTimes) => median(runs.map((times) => times[name]))
  return { decode: middle('decode'), estimate: middle('estimate'), first: middle('first'), whole: middle('whole') }
}

/** Seconds until a picture's samples are in the engine, and from there on until it is open. */
async function timeOpening({ api, inference }: Engine, file: string): Promise<{ decode: number; estimate: number; sessionId: string }> {
  const { estimateNoise } = inference
  let decoded = 0
  // The estimate begins as soon as the samples are there.
  inference.estimateNoise = (...request) => {
    decoded ||= performance.now()
    return estimateNoise.call(inference, ...request)
  }
  try {
    const started = performance.now()
    const { id: sessionId } = await api.denoise.open({ source: { kind: 'path', path: file } })
    return { decode: (decoded - started) / 1000, estimate: (performance.now() - decoded) / 1000, sessionId }
  } finally {
    inference.estimateNoise = estimateNoise
  }
}

/** Seconds from the start of a preview until the screen's middle, and all of it, can be drawn; then it is cancelled. */
async function timePreview(
  engine: Engine,
  io: Io,
  sessionId: string,
  view: PixelRect,
  scale: number,
): Promise<{ first: number; whole: number }> {
  const focus = { x: view.x + view.width / 2, y: view.y + view.height / 2 }
  let seen = 0
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<{ first: number; whole: number }>()
  let first = 0
  const stop = engine.on('denoiseTile', (tile) => {
    void engine.media(tile.url).then(() => {
      const seconds = (performance.now() - started) / 1000
      // Tiles of "the first look" do not overlap, and are all there before any other.
      seen += overlap(tile, view) * scale ** 2
      if (first === 0 && seen >= FIRST) first = seconds
      if (seen >= 0.999 * view.width * view.height * scale ** 2) resolve({ first, whole: seconds })
    })
  })
  const { jobId } = await engine.api.jobs.start({
    kind: 'denoise-preview',
    sessionId,
    tier: 'fast',
    sigma: 'auto',
    focus,
    view: { ...view, scale },
  })
  const found = await promise
  stop()
  await engine.api.jobs.cancel({ jobId })
  await followJob(engine, jobId, io)
  return found
}

function overlap(tile: DenoiseTile, { x, y, width, height }: PixelRect): number {
  const across = Math.min(tile.x + tile.width, x + width) - Math.max(tile.x, x)
  const down = Math.min(tile.y + tile.height, y + height) - Math.max(tile.y, y)
  return Math.max(0, across) * Math.max(0, down)
}

/** Seconds of a whole export, and of all its pictures' steps. */
async function timeExport(engine: Engine, io: Io, source: string, target: string, tier: Tier): Promise<{ seconds: number; steps: number }> {
  const spec: JobSpecInput = {
    kind: 'denoise',
    sources: [{ kind: 'path', path: source }],
    settings: { tier, sigma: 'auto', strength: 100 },
    output: { format: 'jpeg' },
    destination: { kind: 'folder', path: target },
  }
  const started = performance.now()
  const { jobId } = await engine.api.jobs.start(spec)
  const { report } = await followJob(engine, jobId, io)
  const seconds = (performance.now() - started) / 1000
  return { seconds, steps: report.denoise!.reduce((sum, result) => sum + result.seconds, 0) }
}

function megapixels({ width, height }: { width: number; height: number }): number {
  return (width * height) / 1e6
}
