import type { Relation } from '$contract'

export const RELATION_NAMES: Record<Relation, string> = {
  'same-file': 'Same file',
  copy: 'Copy',
  'near-duplicate': 'Near duplicate',
  similar: 'Similar',
  unrelated: 'Weaker match',
}

export const RELATION_PLURALS: Record<Relation, string> = {
  'same-file': 'Same file',
  copy: 'Copies',
  'near-duplicate': 'Near duplicates',
  similar: 'Similar',
  unrelated: 'Weaker matches',
}
