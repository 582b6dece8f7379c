import type { DenoiseSettings } from '../contract/index.ts'

/** Below this estimated σ (8-bit units) a picture is called clean: clean photographs measure 0.6 to 1.4. */
const CLEAN_SIGMA = 1.5

/** The largest σ that the networks are trained for. */
const SIGMA_MAX = 75

export function isClean(estimated: number): boolean {
  return estimated < CLEAN_SIGMA
}

/** The σ given to the network. Zero means that there is nothing to remove: the picture stays as it is. */
export function chooseSigma(setting: DenoiseSettings['sigma'], estimated: number): number {
  if (setting !== 'auto') return setting
  return isClean(estimated) ? 0 : Math.min(estimated, SIGMA_MAX)
}
