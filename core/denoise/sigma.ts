import type { DenoiseSettings } from '../contract/index.ts'
import type { NoiseLevel, NoiseMap } from '../inference/index.ts'
import type { NoiseEstimate } from './estimate.ts'

/** Below this estimated σ (8-bit units) a picture is called clean: the estimator learnt that photographs may have as much grain of their own. */
const CLEAN_SIGMA = 1.5

/** The largest σ that the networks are trained for. */
export const SIGMA_MAX = 75

export function isClean(estimated: number): boolean {
  return estimated < CLEAN_SIGMA
}

/**
 * How much more than the estimate the networks are told, up to `full`, fading until `none`. Weak noise in a file went
 * through a camera: it is correlated, looks like texture at its own level, and the networks learnt it under levels
 * 0.8 to 2.5 times as high (training/denoiser/noise.py, `misjudged`), 1.43 in the geometric mean.
 */
const TOLD = { factor: 1.43, full: 5, none: 15 }

/** One map for one estimate: tiles made with the same map are kept (./sessions.ts). */
const toldMaps = new WeakMap<NoiseEstimate, NoiseMap>()

/** The level that is told to the networks of an estimated one; both in 8-bit units. */
export function toldOf(sigma: number): number {
  const weak = Math.min(1, Math.max(0, (TOLD.none - sigma) / (TOLD.none - TOLD.full)))
  return sigma * (1 + (TOLD.factor - 1) * weak)
}

/**
 * The level given to the network. Zero means that there is nothing to remove: the picture stays as it is.
 *
 * @param estimate only `auto` needs one
 */
export function chooseSigma(setting: DenoiseSettings['sigma'], estimate: NoiseEstimate | undefined): NoiseLevel {
  if (setting !== 'auto') return setting
  if (!estimate || isClean(estimate.sigma)) return 0
  const known = toldMaps.get(estimate)
  if (known) return known
  const sigma = new Float32Array(new SharedArrayBuffer(estimate.map.sigma.byteLength))
  for (const [cell, estimated] of estimate.map.sigma.entries()) sigma[cell] = toldOf(estimated)
  const map = { ...estimate.map, sigma }
  toldMaps.set(estimate, map)
  return map
}
