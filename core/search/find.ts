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

/** What is searched by: one look at a picture. */
export interface Look {
  /** Of length 1. */
  descriptor: Float32Array
  /** Taken off the cosine of what it finds (core/images/queryViews.ts). */
  handicap: number
}

interface Sources {
  index: VectorIndex
  items: ItemQueries
  thresholds: RelationThresholds
}

/**
 * The items nearest to any of the looks, best first; an item's score is the best of its cosines, less the
 * look's handicap. Within a folder every vector is compared; else the index chooses its way. Items whose files
 * are all missing are found too, as such; what no folder of the library holds is not.
 */
export async function findNearest(looks: readonly Look[], options: FindOptions, sources: Sources): Promise<SearchResponse> {
  const started = performance.now()
  const { k, folderId, contentHash, exclude } = options
  const { items, thresholds } = sources
  const accepts = folderId === undefined ? undefined : members(items, folderId)
  const toResult = ({ image, score }: VectorMatch): SearchResult | undefined => {
    const row = image === exclude ? undefined : items.byImage(image, folderId)
    return row && { item: toItem(row), path: row.path, score, relation: relationOf(score, thresholds, row.content_hash === contentHash) }
  }
  // Some vectors may belong to pictures that are no longer shown: when too few are left, more are asked for.
  for (let wanted = k + 8; ; wanted *= 4) {
    const { matches, unseen, ...how } = await searchAll(sources.index, looks, wanted, accepts)
    const results: SearchResult[] = []
    for (const match of matches) {
      const result = match.score >= unseen ? toResult(match) : undefined
      if (result) results.push(result)
      if (results.length === k) break
    }
    if (results.length === k || unseen === Number.NEGATIVE_INFINITY) {
      return { results, ...how, milliseconds: performance.now() - started }
    }
  }
}

/**
 * What the looks find together, best first, and the score (`unseen`) that nothing beyond their `wanted`
 * matches each can exceed; -∞ when there is nothing beyond.
 */
async function searchAll(index: VectorIndex, looks: readonly Look[], wanted: number, accepts?: (image: number) => boolean) {
  const scores = new Map<number, number>()
  let unseen = Number.NEGATIVE_INFINITY
  let method: SearchResponse['method'] = 'exact'
  let searched = 0
  for (const { descriptor, handicap } of looks) {
    const answer = await index.search(descriptor, wanted, accepts)
    for (const { image, score } of answer.matches) scores.set(image, Math.max(score - handicap, scores.get(image) ?? -2))
    if (answer.matches.length === wanted) unseen = Math.max(unseen, answer.matches.at(-1)!.score - handicap)
    method = answer.method
    searched = answer.searched
  }
  const matches = [...scores].map(([image, score]) => ({ image, score })).sort((a, b) => b.score - a.score || a.image - b.image)
  return { matches, unseen, method, searched }
}

function members(items: ItemQueries, folderId: number): (image: number) => boolean {
  const images = new Set(items.imagesIn(folderId))
  return (image) => images.has(image)
}
