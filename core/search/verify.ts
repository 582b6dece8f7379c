import { inSlices } from '../slices.ts'
import type { Miniature } from '../images/miniature.ts'
import { alignment, FEW_SIZES, groundOf, Template } from './align.ts'

/** How many of the nearest are looked at again: a small crop's original is seldom further down. */
export const VERIFIED = 64
/** A best match from here on needs no second look. */
export const SURE = 0.9
/** Candidates, each under one look, compared at full miniature size after all were at a half. */
const FINALISTS = 10
/** Alignments that say nothing, and everything: chosen where wrong candidates end and right ones begin (training/encoder/ABLATIONS.md). */
const CHANCE = 0.68
const CERTAIN = 0.9
/** The share of the way to 1 that a score is raised by a certain alignment. */
const LIFT = 0.8

/** What a score becomes when the pictures align so well (0..1). */
export function raised(score: number, aligned: number): number {
  const evidence = Math.min(1, Math.max(0, (aligned - CHANCE) / (CERTAIN - CHANCE)))
  return 1 - (1 - score) * (1 - LIFT * evidence)
}

/**
 * The second stage of a search: are the nearest by descriptor the same picture, or a larger one that holds it?
 *
 * A descriptor tells a picture as a whole, and a third of it has another one; laid over the right place of its
 * original it fits nevertheless. Answers the candidates' scores, raised where a look at the query aligns.
 * Takes some milliseconds, in slices.
 */
export async function verified(
  looks: readonly Miniature[],
  candidates: readonly { score: number; miniature: Miniature | undefined }[],
): Promise<number[]> {
  const templates = looks.map((look) => new Template(look))
  const pairs: { candidate: number; look: number; coarse: number }[] = []
  await inSlices(
    candidates.length,
    (start, end) => {
      for (let candidate = start; candidate < end; candidate++) {
        const { miniature } = candidates[candidate]!
        if (!miniature) continue
        const ground = groundOf(miniature, 2)
        const likeness = templates.map((template) => alignment(template, ground, FEW_SIZES))
        const look = likeness.indexOf(Math.max(...likeness))
        pairs.push({ candidate, look, coarse: likeness[look]! })
      }
    },
    8,
  )
  pairs.sort((a, b) => b.coarse - a.coarse)
  const scores = candidates.map(({ score }) => score)
  const finalists = pairs.slice(0, FINALISTS)
  await inSlices(
    finalists.length,
    (start, end) => {
      for (const { candidate, look } of finalists.slice(start, end)) {
        const ground = groundOf(candidates[candidate]!.miniature!)
        scores[candidate] = raised(scores[candidate]!, alignment(templates[look]!, ground))
      }
    },
    2,
  )
  return scores
}
