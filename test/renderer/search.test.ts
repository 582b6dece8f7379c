import { describe, expect, it } from 'vitest'
import type { Relation, SearchResult } from '$contract'
import { groupResults } from '../../renderer/src/features/search/search.svelte.ts'
import { fakeItem } from '../support/fakeEngine.ts'

const result = (index: number, relation: Relation, score: number): SearchResult => ({
  item: fakeItem(index),
  path: `/${index}`,
  relation,
  score,
})

describe('groupResults', () => {
  it('puts the closest relation first and the best score first within it', () => {
    const groups = groupResults([result(1, 'similar', 0.7), result(2, 'copy', 0.91), result(3, 'unrelated', 0.2), result(4, 'copy', 0.97)])
    expect(groups.map((group) => [group.relation, group.results.map((found) => found.item.id)])).toEqual([
      ['copy', [5, 3]],
      ['similar', [2]],
      ['unrelated', [4]],
    ])
  })
})
