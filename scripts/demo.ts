/**
 * `npm run demo`: the whole of Lucidex on pictures painted by code. Indexes them, damages one and finds
 * its original, denoises a noisy one, and writes what happened to demo/report.html. Fails when the
 * original is not found first or when denoising does not raise the PSNR.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { applySteps, readPixels, type Pixels, type Step } from '../cli/bench/attacks.ts'
import { processIo as io } from '../cli/io.ts'
import { ROOT } from '../cli/paths.ts'
import { followJob, withEngine } from '../cli/session.ts'
import { duration } from '../cli/table.ts'
import { TIERS, type Tier } from '../core/contract/index.ts'
import type { Engine } from '../core/engine.ts'
import { createRandom } from '../core/random.ts'
import { drawPictures } from './demo/pictures.ts'
import { writeReport, type DemoReport } from './demo/report.ts'

const DEMO = path.join(ROOT, 'demo')
const PICTURES = path.join(DEMO, 'pictures')
const LIBRARY = path.join(DEMO, 'library')

/** What is damaged and looked for, and how. */
const LOST = path.join(PICTURES, 'Landscapes', 'balloons-03.jpg')
const DAMAGE: Step[] = [
  { crop: { area: 0.7 } },
  { rotate: { degrees: 8, fill: '#101418' } },
  { noise: { sigma: 20 } },
  { jpeg: { quality: 35 } },
]
const DAMAGE_TEXT = 'cropped to 70 % of its area, turned by 8°, noise of σ 20, JPEG quality 35'
/** What is denoised, and the noise added to it, in 8-bit units. */
const CLEAN = path.join(PICTURES, 'Studio', 'still-life-04.jpg')
const SIGMA = 25

process.exitCode = await demo()

async function demo(): Promise<number> {
  const started = performance.now()
  await mkdir(DEMO, { recursive: true })

  const files = await drawPictures(PICTURES, { onPicture: (done, total) => io.progress(`Painting ${done} of ${total} pictures`) })
  io.progress('')
  say('Painted', `${files.length} pictures in ${relative(PICTURES)}`)

  const report = await withEngine({ io, libraryDir: LIBRARY }, async (engine): Promise<DemoReport> => {
    const indexing = await indexAll(engine, [...new Set(files.map((file) => path.dirname(file)))])
    say('Indexed', `${indexing.total} pictures: ${indexing.indexed} read now in ${duration(indexing.seconds)}, ${indexing.failed} failed`)
    const search = await findOriginal(engine)
    const denoise = await cleanUp(engine)
    return { indexing, search, denoise }
  })
  const page = await writeReport(DEMO, report)

  const found = report.search.rank === 1
  const cleaned = report.denoise.results.every((result) => result.psnr > report.denoise.psnrBefore)
  console.log()
  say('Report', relative(page))
  say('Open the app', 'npm start -- --library demo/library')
  say(found && cleaned ? 'All went well' : 'FAILED', duration((performance.now() - started) / 1000))
  if (!found) console.error('The original was not found first.')
  if (!cleaned) console.error('Denoising did not raise the PSNR.')
  return found && cleaned ? 0 : 1
}

/** Adds each folder and waits for its job. */
async function indexAll(engine: Engine, folders: string[]): Promise<DemoReport['indexing']> {
  const started = performance.now()
  let indexed = 0
  let failed = 0
  for (const folder of folders) {
    const { jobId } = await engine.api.library.addFolder({ path: folder })
    if (jobId === null) continue
    const { report } = await followJob(engine, jobId, io)
    indexed += report.index?.indexed ?? 0
    failed += report.index?.failed.length ?? 0
  }
  const { images } = await engine.api.library.status()
  return { total: images, indexed, failed, seconds: (performance.now() - started) / 1000 }
}

async function findOriginal(engine: Engine): Promise<DemoReport['search']> {
  const damaged = await applySteps(await readPixels(LOST), DAMAGE, createRandom(7))
  const query = path.join(DEMO, 'damaged.jpg')
  await writeFile(query, await fromPixels(damaged).jpeg({ quality: 95 }).toBuffer())

  const { results, milliseconds, searched } = await engine.api.search.find({ source: { kind: 'path', path: query }, k: 12 })
  const rank = results.findIndex((result) => result.path === LOST) + 1
  console.log()
  say('Damaged', `${relative(LOST)}: ${DAMAGE_TEXT}`)
  if (rank === 0) say('Not found', `among the first ${results.length} of ${searched}`)
  else {
    const { score, relation } = results[rank - 1]!
    say('Found', `at rank ${rank} of ${searched}, score ${score.toFixed(3)}, relation ${relation}, ${milliseconds.toFixed(1)} ms`)
  }
  return {
    query,
    original: LOST,
    damage: DAMAGE_TEXT,
    rank,
    searched,
    milliseconds,
    results: results.map(({ path: file, score, relation }) => ({ path: file, score, relation })),
  }
}

async function cleanUp(engine: Engine): Promise<DemoReport['denoise']> {
  const clean = await readPixels(CLEAN)
  const noisy = await applySteps(clean, [{ noise: { sigma: SIGMA } }], createRandom(11))
  const input = path.join(DEMO, 'noisy.png')
  await writeFile(input, await fromPixels(noisy).png().toBuffer())
  const psnrBefore = psnr(clean, noisy)
  console.log()
  say('Noisy', `${relative(CLEAN)} with noise of σ ${SIGMA}: ${psnrBefore.toFixed(2)} dB`)

  const results = []
  for (const tier of [...TIERS].reverse()) {
    const result = await denoise(engine, input, tier)
    const after = psnr(clean, await readPixels(result.output))
    const measured = result.sigma === null ? '' : `, σ measured as ${result.sigma.toFixed(1)}`
    say(`Denoised (${tier})`, `${after.toFixed(2)} dB, ${duration(result.seconds)}${measured}`)
    results.push({ tier, psnr: after, ...result })
  }
  return { clean: CLEAN, noisy: input, sigma: SIGMA, psnrBefore, results }
}

async function denoise(engine: Engine, input: string, tier: Tier): Promise<{ output: string; seconds: number; sigma: number | null }> {
  const output = path.join(DEMO, `denoised-${tier}.png`)
  const { jobId } = await engine.api.jobs.start({
    kind: 'denoise',
    sources: [{ kind: 'path', path: input }],
    settings: { tier, sigma: 'auto', strength: 100 },
    output: { format: 'png', collision: 'overwrite' },
    destination: { kind: 'file', path: output },
  })
  const { report } = await followJob(engine, jobId, io)
  const [result] = report.denoise ?? []
  if (result?.status !== 'done') throw new Error(`${input} was not denoised: ${result?.error?.message ?? 'no result'}`)
  return { output, seconds: result.seconds, sigma: result.sigmaEstimated }
}

/** Peak signal-to-noise ratio of 8-bit RGB pictures of one size, in dB. */
function psnr(a: Pixels, b: Pixels): number {
  let sum = 0
  for (let at = 0; at < a.data.length; at++) sum += (a.data[at]! - b.data[at]!) ** 2
  return 10 * Math.log10(255 ** 2 / (sum / a.data.length))
}

function fromPixels({ data, width, height }: Pixels) {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

function relative(file: string): string {
  return path.relative(process.cwd(), file)
}

function say(what: string, text: string): void {
  console.log(`${what.padEnd(16)} ${text}`)
}
