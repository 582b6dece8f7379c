import path from 'node:path'
import { CONFIDENCE_CELL, LucidexError, type Tier } from '../../core/contract/index.ts'
import { denoisePicture } from '../../core/denoise/index.ts'
import { readPicture, samplesOf, withBitDepth, type Picture } from '../../core/images/index.ts'
import type { ConfidenceCurve, Inference } from '../../core/inference/index.ts'
import { createRandom, seedFrom } from '../../core/random.ts'
import { evenly, picturesIn } from './pictures.ts'

export interface ConfidenceOptions {
  data: string
  tier: Tier
  /** σ of the noises that are added, 8-bit units. */
  sigmas: readonly number[]
  limit?: number
  signal?: AbortSignal
  onProgress?: (text: string) => void
}

const SEED = 20_261_121
/** Points of the curve, and of each σ's own. */
const KNOTS = 16
const POINTS = 8

/** Both as shares of σ. */
interface Cell {
  spread: number
  /** Root mean square of denoised − clean over the cell's pixels and colours. */
  error: number
}

/**
 * What the spread of a denoiser means: Gaussian noise of each σ is added to clean pictures, rounded and clipped as
 * in a file; cell by cell, the network's disagreement with itself is set beside its real error, both as shares of
 * σ: so measured, one curve serves all σ. The knots are the root mean square errors of as many groups of equally
 * many cells, in order of spread, made to grow.
 * Errors: FOLDER_NOT_FOUND, BAD_REQUEST without pictures, and those of the inference.
 */
export async function benchConfidence(
  options: ConfidenceOptions,
  inference: Inference,
): Promise<Omit<ConfidenceCurve, 'model' | 'command'>> {
  const { data, tier, sigmas, limit, signal, onProgress = () => {} } = options
  const names = evenly(await picturesIn(data), limit)
  if (names.length === 0) throw new LucidexError('BAD_REQUEST', 'There is no picture to measure', { path: data })
  const bySigma = sigmas.map((sigma) => ({ sigma, cells: [] as Cell[] }))
  for (const { value: name, index } of names) {
    const clean = await withBitDepth(await readPicture(path.join(data, name)), 8)
    for (const { sigma, cells } of bySigma) {
      signal?.throwIfAborted()
      onProgress(`${name}, σ ${sigma}`)
      cells.push(...(await measure(clean, addNoise(clean, sigma, seedFrom(SEED, index, sigma)), sigma)))
    }
  }
  const all = bySigma.flatMap(({ cells }) => cells)
  return {
    images: names.length,
    cells: all.length,
    rankCorrelation: rankCorrelation(all),
    knots: curveOf(all, KNOTS),
    bySigma: bySigma.map(({ sigma, cells }) => ({ sigma, points: curveOf(cells, POINTS) })),
  }

  async function measure(clean: Picture, noisy: Picture, sigma: number): Promise<Cell[]> {
    const checkpoint = async () => signal?.throwIfAborted()
    const denoised = new Uint8Array(await denoisePicture(inference, noisy, { tier, sigma }, { checkpoint }))
    const truth = samplesOf(clean)
    const cells: Cell[] = []
    for (const { core } of inference.plan(tier, clean, 'view')) {
      const spread = await inference.spread(tier, { source: noisy, core, sigma })
      const columns = Math.ceil(core.width / CONFIDENCE_CELL)
      for (const [index, value] of spread.entries()) {
        const left = core.x + (index % columns) * CONFIDENCE_CELL
        const top = core.y + Math.floor(index / columns) * CONFIDENCE_CELL
        cells.push({ spread: value / sigma, error: errorAt(left, top, core.x + core.width, core.y + core.height) / sigma })
      }
    }
    return cells

    function errorAt(left: number, top: number, right: number, bottom: number): number {
      let [squares, count] = [0, 0]
      for (let y = top; y < Math.min(bottom, top + CONFIDENCE_CELL); y++) {
        for (let x = left; x < Math.min(right, left + CONFIDENCE_CELL); x++) {
          for (let c = 0; c < Math.min(3, clean.channels); c++, count++) {
            const at = (y * clean.width + x) * clean.channels + c
            squares += (denoised[at]! - truth[at]!) ** 2
          }
        }
      }
      return Math.sqrt(squares / count)
    }
  }
}

function addNoise(clean: Picture, sigma: number, seed: number): Picture {
  const random = createRandom(seed)
  const buffer = new SharedArrayBuffer(clean.buffer.byteLength)
  const [from, to] = [samplesOf(clean), new Uint8Array(buffer)]
  for (let index = 0; index < to.length; index++) to[index] = Math.min(255, Math.max(0, Math.round(from[index]! + sigma * random.normal())))
  return { ...clean, buffer }
}

/** Means of spread and root mean squares of error, in so many groups by spread. Errors that fall are pooled, so that the curve grows. */
function curveOf(cells: readonly Cell[], points: number): [number, number][] {
  const sorted = cells.toSorted((a, b) => a.spread - b.spread)
  const groups: { spread: number; squares: number; weight: number }[] = []
  for (let index = 0; index < points; index++) {
    const part = sorted.slice(Math.floor((index * sorted.length) / points), Math.floor(((index + 1) * sorted.length) / points))
    if (part.length === 0) continue
    let group = {
      spread: part.reduce((sum, { spread }) => sum + spread, 0),
      squares: part.reduce((sum, { error }) => sum + error * error, 0),
      weight: part.length,
    }
    // Pool adjacent violators (Barlow et al., 1972).
    while (groups.length > 0 && groups.at(-1)!.squares / groups.at(-1)!.weight >= group.squares / group.weight) {
      const before = groups.pop()!
      group = { spread: before.spread + group.spread, squares: before.squares + group.squares, weight: before.weight + group.weight }
    }
    groups.push(group)
  }
  const rounded = (value: number) => Number(value.toFixed(4))
  return groups.map(({ spread, squares, weight }) => [rounded(spread / weight), rounded(Math.sqrt(squares / weight))])
}

/** Spearman's: the correlation of the ranks. */
function rankCorrelation(cells: readonly Cell[]): number {
  const ranks = (of: (cell: Cell) => number) => {
    const order = cells.map((cell, index) => ({ value: of(cell), index })).sort((a, b) => a.value - b.value)
    const found = new Float64Array(cells.length)
    for (const [rank, { index }] of order.entries()) found[index] = rank
    return found
  }
  const [a, b] = [ranks(({ spread }) => spread), ranks(({ error }) => error)]
  const mean = (cells.length - 1) / 2
  let [product, squares] = [0, 0]
  for (let index = 0; index < a.length; index++) {
    product += (a[index]! - mean) * (b[index]! - mean)
    squares += (a[index]! - mean) ** 2
  }
  return Number((product / squares).toFixed(3))
}
