import type { Relation } from '../contract/index.ts'

/** The smallest cosine of each relation, calibrated with the encoder (manifest, `relations`). */
export interface RelationThresholds {
  copy: number
  nearDuplicate: number
  similar: number
}

/** What a match is to the query. `sameFile`: their bytes are equal, whatever the encoder says. */
export function relationOf(cosine: number, thresholds: RelationThresholds, sameFile: boolean): Relation {
  if (sameFile) return 'same-file'
  if (cosine >= thresholds.copy) return 'copy'
  if (cosine >= thresholds.nearDuplicate) return 'near-duplicate'
  if (cosine >= thresholds.similar) return 'similar'
  return 'unrelated'
}
