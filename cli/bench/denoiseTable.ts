import { cpus } from 'node:os'
import { markdownTable } from '../table.ts'
import type { BlindReport, CleanReport, GaussianReport } from './denoise.ts'
import type { SpeedReport } from './denoiseSpeed.ts'

/** What the whole table is made of; parts that were not measured are absent. */
export interface DenoiseTable {
  /** SHA-256 by tier. */
  models?: Record<string, string>
  cbsd68?: GaussianReport
  kodak24?: GaussianReport
  polyu?: BlindReport
  clean?: CleanReport
  speed?: SpeedReport
}

export const FFDNET = 'FFDNet'
/** CBSD68, σ 15 / 25 / 50, as published by Zhang et al., FFDNet, 2018 (arXiv:1710.04026), table IV. */
const CBSD68_IMAGES = 68
const CBM3D = ['33.52', '30.71', '27.38']

/** The measurements as Markdown, for the README and the model cards. */
export function denoiseMarkdown(table: DenoiseTable): string {
  const { models, polyu, clean, speed } = table
  const parts = [
    ofGaussian(table, 'psnr'),
    ofGaussian(table, 'ssim'),
    polyu && ofPairs(polyu),
    clean && ofClean(clean),
    speed && ofSpeed(speed),
    models &&
      `Models by SHA-256: ${Object.entries(models)
        .map(([tier, hash]) => `${tier} ${hash.slice(0, 12)}`)
        .join(', ')}.`,
  ]
  return parts.filter(Boolean).join('\n\n')
}

function ofGaussian({ cbsd68, kodak24 }: DenoiseTable, score: 'psnr' | 'ssim'): string {
  const sets = [
    { name: 'CBSD68', report: cbsd68, published: CBM3D },
    { name: 'Kodak24', report: kodak24, published: undefined },
  ].filter(({ report }) => report !== undefined) as { name: string; report: GaussianReport; published?: string[] }[]
  if (sets.length === 0) return ''
  const names = Object.keys(sets[0]!.report.results[0]!.denoised)
  const digits = score === 'psnr' ? 2 : 4
  const rows = names.map((name) => [
    name === FFDNET ? 'FFDNet, measured here' : name,
    ...sets.map(({ report }) => report.results.map(({ denoised }) => denoised[name]![score].toFixed(digits)).join(' / ')),
  ])
  // Published for the whole set: beside a part of it the figures would mislead.
  if (score === 'psnr' && cbsd68?.images === CBSD68_IMAGES)
    rows.push(['CBM3D, as published', ...sets.map(({ published }) => published?.join(' / ') ?? '')])
  const heading = sets.map(({ name, report }) => `${name} σ ${report.results.map(({ sigma }) => sigma).join(' / ')}`)
  const counts = sets.map(({ name, report }) => `${report.images} pictures of ${name}`).join(', ')
  const what = score === 'psnr' ? 'PSNR in dB' : 'SSIM'
  return `${what}, white Gaussian noise, unclipped, true σ given, mean of ${counts}:\n\n${markdownTable([['', ...heading], ...rows])}`
}

function ofPairs({ images, untouched, denoised }: BlindReport): string {
  const rows = Object.entries(denoised).map(([tier, scores]) => {
    const left = scores.perImage.filter(({ sigma }) => sigma === 0).length
    return [`${tier}, blind`, scores.psnr.toFixed(2), signed(scores.psnr - untouched.psnr), scores.ssim.toFixed(4), `${left} of ${images}`]
  })
  const table = markdownTable([
    ['', 'PSNR', 'gain', 'SSIM', 'found clean'],
    ['untouched', untouched.psnr.toFixed(2), '', untouched.ssim.toFixed(4), ''],
    ...rows,
  ])
  return `Real camera noise, PolyU-dev, σ estimated, mean of ${images} couples:\n\n${table}`
}

function ofClean({ images, denoised }: CleanReport): string {
  const results = Object.entries(denoised)
  const sets = [...new Set(results.flatMap(([, { perImage }]) => perImage.map(({ set }) => set)))]
  const rows = results.map(([tier, { mean, worst, perImage }]) => [
    tier,
    mean.toFixed(2),
    worst.toFixed(2),
    ...sets.map((set) => {
      const own = perImage.filter((image) => image.set === set).map(({ psnr }) => psnr)
      return `${(own.reduce((sum, value) => sum + value, 0) / own.length).toFixed(2)} / ${Math.min(...own).toFixed(2)}`
    }),
    `${perImage.filter(({ sigma }) => sigma === 0).length} of ${images}`,
  ])
  const counts = sets.map((set) => `${results[0]![1].perImage.filter((image) => image.set === set).length} ${set}`).join(', ')
  const table = markdownTable([['', 'mean', 'worst', ...sets.map((set) => `${set}, mean / worst`), 'found clean'], ...rows])
  return `Clean pictures (${counts}; evenly spaced over the sorted files, none trained on, none picked by eye), σ estimated, PSNR of output against input in dB, at most 60 a picture:\n\n${table}`
}

function ofSpeed({ threads, load, refused, untiled, tiled }: SpeedReport): string {
  const about = `${threads} threads, ${cpus()[0]?.model.trim() ?? 'unknown processor'}; load average before: ${load === null ? 'unknown' : load.toFixed(2)}`
  if (refused !== null) return `Speed (${about}): **not measured: ${refused}.**`
  const ffdnet = untiled[FFDNET]
  const rows = Object.entries(untiled).map(([name, seconds]) => [
    name,
    seconds.toFixed(3),
    ffdnet === undefined ? '' : `${(seconds / ffdnet).toFixed(2)}×`,
    tiled[name]?.toFixed(3) ?? '',
  ])
  const table = markdownTable([['', '768 × 512, untiled', 'of FFDNet', '24 megapixels, in tiles'], ...rows])
  return `Seconds per megapixel, median of repeated runs after warm-up (${about}):\n\n${table}`
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}
