import { availableParallelism } from 'node:os'
import path from 'node:path'
import { TIERS, type Tier } from '../../core/contract/index.ts'
import { ModelRegistry, type Inference } from '../../core/inference/index.ts'
import { choiceOption, EXIT, numberOption, parse, UsageError } from '../args.ts'
import { benchClean, benchGaussian, benchPairs, cleanPictures, type BenchContext, type Denoiser } from '../bench/denoise.ts'
import { benchSpeed, type SpeedReport } from '../bench/denoiseSpeed.ts'
import { denoiseMarkdown, FFDNET, type DenoiseTable } from '../bench/denoiseTable.ts'
import { openNetwork, openVerified, type Network } from '../bench/network.ts'
import { withFfdnet } from '../bench/peer.ts'
import { measureTiling, TOLERANCE, type TilingReport } from '../bench/tiling.ts'
import { interruptible, quietLog, type Io } from '../io.ts'
import { MODELS_DIR, ROOT } from '../paths.ts'
import { withEngine } from '../session.ts'
import { table } from '../table.ts'

const SHARED = path.join(ROOT, '..', 'shared')
/** Of the whole table. The speed comes first: the rest is load. */
const PARTS = ['speed', 'cbsd68', 'kodak24', 'polyu', 'clean'] as const
type Part = (typeof PARTS)[number]
const SIGMAS = [15, 25, 50]

export const DENOISE_HELP = `bench denoise measures one of:

  --data <dir>          clean pictures: Gaussian noise of a known σ is added and taken out again; PSNR and SSIM
  --pairs <dir>         real noise, couples named *_real.* and *_mean.*, denoised blindly; PSNR and SSIM
  --clean <dir>         forty clean pictures, denoised blindly: how little is changed; <dir> holds eval/, retrieval/
  --speed               seconds per megapixel, a whole picture of 768 × 512 and 24 megapixels in tiles
  --table               all of it for every model, as Markdown; --only ${PARTS.join(',')}

  --sigma 0..75         σ of the noise that is added, 8-bit units (default 25)
  --model fast|best     (default best)
  --limit N             only N of the pictures, evenly spaced
  --ffdnet <file>       measure FFDNet_color.mat beside it (needs Python with h5py and onnx)
  --wait <seconds>      wait so long for the load to fall to 0.3; above it speeds are refused

--table takes its pictures from ../shared/data (or LUCIDEX_DATA) and FFDNet from ../shared/peers.

bench tiling measures how far each denoiser must see around a tile, and fails when its manifest says less.

  --file <onnx>         a model that has no manifest yet, of --stride (default 8)`

export async function runDenoise(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, {
    data: { type: 'string' },
    pairs: { type: 'string' },
    clean: { type: 'string' },
    speed: { type: 'boolean' },
    table: { type: 'boolean' },
    only: { type: 'string' },
    sigma: { type: 'string' },
    model: { type: 'string' },
    limit: { type: 'string' },
    ffdnet: { type: 'string' },
    wait: { type: 'string' },
  })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  const kinds = [values.data, values.pairs, values.clean, values.speed, values.table].filter((kind) => kind !== undefined)
  if (kinds.length !== 1) throw new UsageError('bench denoise needs one of --data, --pairs, --clean, --speed and --table')
  if (values.only !== undefined && !values.table) throw new UsageError('--only goes with --table')
  const only = values.only?.split(',').map((part) => choiceOption('--only', part, PARTS)!) ?? PARTS
  const model = choiceOption('--model', values.model, TIERS)
  const sigma = numberOption('--sigma', values.sigma, { min: 0, max: 75 }) ?? 25
  const limit = numberOption('--limit', values.limit, { min: 1, max: 1_000_000, whole: true })
  const waitSeconds = numberOption('--wait', values.wait, { min: 0, max: 3600 }) ?? (values.table ? 150 : 0)
  const ffdnet = values.ffdnet ?? (values.table ? path.join(SHARED, 'peers', 'FFDNet_color.mat') : undefined)
  const tiers = model ? [model] : values.table || values.speed ? (['best', 'fast'] as const) : (['best'] as const)

  return interruptible(io, (signal) =>
    withEngine({ io }, ({ inference }) =>
      withFfdnet(ffdnet, inference.placement().threads, io, async (peer) => {
        const bench: Bench = { inference, tiers, peer, limit, waitSeconds, log: quietLog(io), signal, onProgress: io.progress }
        const { report, text, failed } = await measure()
        io.progress('')
        io.print(values.json ? JSON.stringify(report, null, 2) : text)
        return failed ? EXIT.someFailed : EXIT.ok

        async function measure(): Promise<{ report: object; text: string; failed?: boolean }> {
          if (values.table) {
            const report = await measureTable(bench, only)
            return { report, text: denoiseMarkdown(report) }
          }
          if (values.speed) {
            const speed = await measureSpeed(bench, tiers)
            return { report: speed, text: denoiseMarkdown({ speed }), failed: speed.refused !== null }
          }
          if (values.data !== undefined) return figures(await measureGaussian(bench, values.data, sigma))
          if (values.pairs !== undefined) return figures(await measurePairs(bench, values.pairs))
          return figures(await measureClean(bench, values.clean!))
        }
      }),
    ),
  )
}

/** A report with its single figures as text, FFDNet's among them. */
function figures(report: object & { ffdnet?: object }): { report: object; text: string } {
  const beside = Object.entries(report.ffdnet ?? {}).map(([name, value]) => [`ffdnet ${name}`, value])
  const rows = [...Object.entries(report), ...beside].flatMap(([name, value]) => {
    if (typeof value === 'number') return [[name, Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 4 : 2)]]
    return typeof value === 'string' ? [[name, value]] : []
  })
  return { report, text: table(rows) }
}

/** What all measurements share. */
interface Bench extends BenchContext {
  inference: Inference
  tiers: readonly Tier[]
  peer: Network | null
  limit?: number
  waitSeconds: number
}

async function measureTable(bench: Bench, only: readonly Part[]): Promise<DenoiseTable> {
  const { inference, tiers, limit } = bench
  const data = path.resolve(process.env['LUCIDEX_DATA'] ?? path.join(SHARED, 'data'))
  const gaussian = (set: string) =>
    benchGaussian({ folder: path.join(data, 'eval', set), limit, sigmas: SIGMAS }, denoisersOf(bench), bench)
  const report: DenoiseTable = {
    models: Object.fromEntries(inference.models().flatMap(({ tier, sha256 }) => (tier ? [[tier, sha256]] : []))),
  }
  if (only.includes('speed')) report.speed = await measureSpeed(bench, tiers)
  if (only.includes('cbsd68')) report.cbsd68 = await gaussian('cbsd68')
  if (only.includes('kodak24')) report.kodak24 = await gaussian('kodak24')
  if (only.includes('polyu'))
    report.polyu = await benchPairs({ folder: path.join(data, 'eval', 'polyu-dev'), limit }, inference, tiers, bench)
  if (only.includes('clean')) report.clean = await benchClean(await cleanPictures(data, limit), inference, tiers, bench)
  return report
}

async function measureGaussian(bench: Bench, folder: string, sigma: number) {
  const speed = await measureSpeed(bench, [])
  const { images, results } = await benchGaussian(
    { folder: path.resolve(folder), limit: bench.limit, sigmas: [sigma] },
    denoisersOf(bench),
    bench,
  )
  const { noisy, denoised } = results[0]!
  const { psnr, ssim, perImage } = denoised[bench.tiers[0]!]!
  const { psnr: noisyPsnr, ssim: noisySsim } = noisy
  const ffdnet = bench.peer ? { ...denoised[FFDNET]!, secondsPerMegapixel: speed.untiled[FFDNET] ?? null } : undefined
  return { psnr, ssim, noisyPsnr, noisySsim, ...inOneFigure(bench, speed), images, perImage, ffdnet }
}

async function measurePairs(bench: Bench, folder: string) {
  const speed = await measureSpeed(bench, [])
  const { images, untouched, denoised } = await benchPairs(
    { folder: path.resolve(folder), limit: bench.limit },
    bench.inference,
    bench.tiers,
    bench,
  )
  const { psnr, ssim, perImage } = denoised[bench.tiers[0]!]!
  const { psnr: noisyPsnr, ssim: noisySsim } = untouched
  return { psnr, ssim, noisyPsnr, noisySsim, ...inOneFigure(bench, speed), images, perImage }
}

async function measureClean(bench: Bench, data: string) {
  const pictures = await cleanPictures(path.resolve(data), bench.limit)
  const { images, denoised } = await benchClean(pictures, bench.inference, bench.tiers, bench)
  const { mean, worst, perImage } = denoised[bench.tiers[0]!]!
  return { mean, worst, images, perImage }
}

function denoisersOf({ inference, tiers, peer }: Bench): Denoiser[] {
  const own = tiers.map((tier): Denoiser => ({ name: tier, denoise: (noisy, sigma) => inference.denoiseFloat(tier, noisy, sigma) }))
  return peer ? [...own, { name: FFDNET, denoise: (noisy, sigma) => peer.run(noisy, sigma) }] : own
}

/** Untiled of every denoiser, in the app's tiles of `tiled`. */
async function measureSpeed(bench: Bench, tiled: readonly Tier[]): Promise<SpeedReport> {
  const { inference, tiers, peer, waitSeconds } = bench
  const { threads } = inference.placement()
  const registry = await ModelRegistry.open(MODELS_DIR)
  const own: Record<string, Network> = {}
  try {
    for (const tier of tiers) own[tier] = await openVerified(registry, tier, threads)
    const networks = peer ? { ...own, [FFDNET]: peer } : own
    return await benchSpeed({ networks, tiers: tiled, threads, waitSeconds }, inference, bench)
  } finally {
    for (const network of Object.values(own)) await network.release()
  }
}

/** Seconds per megapixel of a whole 768 × 512 picture, or null and why. */
function inOneFigure({ tiers }: Bench, { untiled, refused, load, threads }: SpeedReport) {
  const secondsPerMegapixel = untiled[tiers[0]!] ?? null
  return { secondsPerMegapixel, ...(refused !== null && { speedRefused: refused }), threads, load }
}

export async function runTiling(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { file: { type: 'string' }, stride: { type: 'string' }, model: { type: 'string' } })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  const stride = numberOption('--stride', values.stride, { min: 1, max: 64, whole: true }) ?? 8
  const model = choiceOption('--model', values.model, TIERS)
  const reports: Record<string, TilingReport & { manifest: number | null }> = {}
  await interruptible(io, async (signal) => {
    if (values.file) {
      const network = await openNetwork(path.resolve(values.file), { stride, threads: availableParallelism() })
      reports[path.basename(values.file)] = { ...(await measureTiling(network, stride, signal)), manifest: null }
      await network.release()
      return
    }
    const registry = await ModelRegistry.open(MODELS_DIR)
    for (const tier of model ? [model] : TIERS) {
      const network = await openVerified(registry, tier, availableParallelism())
      const { stride, margin } = registry.file({ kind: 'denoiser', tier })
      reports[tier] = { ...(await measureTiling(network, stride, signal)), manifest: margin }
      await network.release()
    }
  })
  if (values.json) io.print(JSON.stringify(reports, null, 2))
  else {
    for (const [name, { worst, margin, manifest }] of Object.entries(reports)) {
      io.print(table([[name, 'levels of 255'], ...worst.map(({ margin, difference }) => [String(margin), difference.toFixed(3)])]))
      const wanted = manifest === null ? '' : `, the manifest says ${manifest}`
      io.print(`A margin of ${margin} pixels changes no sample by more than ${TOLERANCE}/255${wanted}.`)
    }
  }
  return Object.values(reports).every(({ margin, manifest }) => manifest === null || manifest >= margin) ? EXIT.ok : EXIT.someFailed
}
