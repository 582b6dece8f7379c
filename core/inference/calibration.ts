import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** Written by `bench confidence --write`; each model is known by its SHA-256, so that another model is never served by this one's curve. */
export const CALIBRATION_FILE = 'confidence.json'

const curve = z.object({
  model: z.string(),
  command: z.string(),
  /** Pictures and cells it was measured on. */
  images: z.number(),
  cells: z.number(),
  /** Spearman's rank correlation of spread and error over all cells. */
  rankCorrelation: z.number(),
  /** Spread and the root mean square of the real error there, both as shares of the noise's σ; both grow. */
  knots: z.array(z.tuple([z.number(), z.number()])).min(2),
  /** The same for each σ by itself: what the card plots. */
  bySigma: z.array(z.object({ sigma: z.number(), points: z.array(z.tuple([z.number(), z.number()])) })),
})
export type ConfidenceCurve = z.infer<typeof curve>

const calibration = z.record(z.string(), curve)
export type Calibration = z.infer<typeof calibration>

/** The curves beside the models; none where there is no such file or it is not valid: then maps are told to be uncalibrated. */
export async function readCalibration(modelsDir: string): Promise<Calibration> {
  const text = await readFile(join(modelsDir, CALIBRATION_FILE), 'utf8').catch(() => '{}')
  try {
    return calibration.parse(JSON.parse(text))
  } catch {
    return {}
  }
}

/**
 * The error to expect where the spread is so large, in the same units as spread and σ: linear between the knots, in
 * proportion beyond the last.
 */
export function expectedError(knots: ConfidenceCurve['knots'], spread: number, sigma: number): number {
  return sigma * interpolate(knots, spread / sigma)
}

function interpolate(knots: ConfidenceCurve['knots'], spread: number): number {
  const above = knots.findIndex(([at]) => at >= spread)
  if (above === 0) return knots[0]![1]
  if (above < 0) {
    const [at, error] = knots.at(-1)!
    return (error * spread) / at
  }
  const [from, low] = knots[above - 1]!
  const [to, high] = knots[above]!
  return low + ((high - low) * (spread - from)) / (to - from)
}
