export const MODES = ['split', 'sides', 'removed', 'difference', 'confidence'] as const
export type Mode = (typeof MODES)[number]

/** Amplifications of what was removed: each twice the one before. */
export const GAINS = [1, 2, 4, 8, 16, 32] as const

/** Noise is amplified up to this σ, unless a person sets it. */
const SEEN_SIGMA = 64

/** How the picture is looked at; it stays when another one is opened. */
export class Viewing {
  mode = $state<Mode>('split')
  gain = $state<number>(4)
  /** Shows the original alone, while held. */
  comparing = $state(false)
  loupe = $state(false)
  /** Scale in hundredths, told by the viewer. */
  percent = $state(100)

  /** Takes the mode, or goes back to comparing when it is the current one. */
  toggle(mode: Mode): void {
    this.mode = this.mode === mode ? 'split' : mode
  }

  /** The amplification at which noise of this σ (8-bit units) is easily seen and hardly cut off. */
  fitGain(sigma: number): void {
    this.gain = GAINS.findLast((gain) => gain * sigma <= SEEN_SIGMA) ?? GAINS[0]
  }

  /** More (+1) or less (−1) amplification. */
  amplify(steps: number): void {
    const index = GAINS.findIndex((gain) => gain === this.gain) + steps
    this.gain = GAINS[Math.min(GAINS.length - 1, Math.max(0, index))]!
  }
}

export const viewing = new Viewing()
