import type { Relation } from '../contract/index.ts'

/** The smallest score of each relation, calibrated with the encoder and the query's views (manifest, `relations`; `lucidex bench calibrate`). */
export interface RelationThresholds {
  copy: number
  nearDuplicate: number
  similar: number
}

/** What a match is to the query. `sameFile`: their bytes are equal, whatever the encoder says. */
export function relationOf(score: number, thresholds: RelationThresholds, sameFile: boolean): Relation {
  if (sameFile) return 'same-file'
  if (score >= thresholds.copy) return 'copy'
  if (score >= thresholds.nearDuplicate) return 'near-duplicate'
  if (score >= thresholds.similar) return 'similar'
  return 'unrelated'
}
