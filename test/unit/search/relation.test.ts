import { expect, it } from 'vitest'
import { relationOf } from '../../../core/search/relation.ts'

const thresholds = { copy: 0.9, nearDuplicate: 0.8, similar: 0.5 }

it.each([
  [1, 'copy'],
  [0.9, 'copy'],
  [0.8999, 'near-duplicate'],
  [0.8, 'near-duplicate'],
  [0.5, 'similar'],
  [0.49, 'unrelated'],
  [-1, 'unrelated'],
] as const)('a cosine of %d is %s', (cosine, relation) => {
  expect(relationOf(cosine, thresholds, false)).toBe(relation)
})

it('equal bytes are the same file, whatever the encoder says', () => {
  expect(relationOf(0.1, thresholds, true)).toBe('same-file')
})
