import type { SearchResponse, SearchResult } from '../contract/index.ts'
import type { ItemQueries } from '../db/index.ts'
import type { VectorIndex, VectorMatch } from '../vectors/index.ts'
import { toItem } from '../library/item.ts'
import { relationOf, type RelationThresholds } from './relation.ts'

export interface FindOptions {
  /** How many results, at most. */
  k: number
  /** Only what lies in this folder. */
  folderId?: number
  /** Of the query's bytes: an item with the same is called `same-file`. */
  contentHash?: string
  /** The image that is asked about: not an answer to itself. */
  exclude?: number
}

/**
 * The items nearest to a descriptor, best first. Within a folder every vector is compared; else the index
 * chooses its way. Items whose files are all missing are found too, as such; what no folder of the library
 * holds is not.
 */
export async function findNearest(
  descriptor: Float32Array,
  { k, folderId, contentHash, exclude }: FindOptions,
  { index, items, thresholds }: { index: VectorIndex; items: ItemQueries; thresholds: RelationThresholds },
): Promise<SearchResponse> {
  const started = performance.now()
  const accepts = folderId === undefined ? undefined : members(items, folderId)
  const toResult = ({ image, score }: VectorMatch): SearchResult | undefined => {
    const row = image === exclude ? undefined : items.byImage(image, folderId)
    return row && { item: toItem(row), path: row.path, score, relation: relationOf(score, thresholds, row.content_hash === contentHash) }
  }
  // Some vectors may belong to pictures that are no longer shown: when too few are left, more are asked for.
  for (let wanted = k + 8; ; wanted *= 4) {
    const { matches, method, searched } = await index.search(descriptor, wanted, accepts)
    const results: SearchResult[] = []
    for (const match of matches) {
      const result = toResult(match)
      if (result) results.push(result)
      if (results.length === k) break
    }
    if (results.length === k || matches.length < wanted) return { results, method, milliseconds: performance.now() - started, searched }
  }
}

function members(items: ItemQueries, folderId: number): (image: number) => boolean {
  const images = new Set(items.imagesIn(folderId))
  return (image) => images.has(image)
}
