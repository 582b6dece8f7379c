import type { DenoiseSettings } from '../contract/index.ts'
import type { NoiseLevel } from '../inference/index.ts'
import type { NoiseEstimate } from './estimate.ts'

/** Below this estimated σ (8-bit units) a picture is called clean: the estimator learnt that photographs may have as much grain of their own. */
const CLEAN_SIGMA = 1.5

/** The largest σ that the networks are trained for. */
export const SIGMA_MAX = 75

export function isClean(estimated: number): boolean {
  return estimated < CLEAN_SIGMA
}

/**
 * The level given to the network. Zero means that there is nothing to remove: the picture stays as it is.
 *
 * @param estimate only `auto` needs one
 */
export function chooseSigma(setting: DenoiseSettings['sigma'], estimate: NoiseEstimate | undefined): NoiseLevel {
  if (setting !== 'auto') return setting
  return !estimate || isClean(estimate.sigma) ? 0 : estimate.map
}
