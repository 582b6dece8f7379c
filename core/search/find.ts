import type { ItemFilter, SearchResponse, SearchResult } from '../contract/index.ts'
import type { ItemQueries } from '../db/index.ts'
import type { VectorIndex, VectorMatch } from '../vectors/index.ts'
import { toItem } from '../library/item.ts'
import type { Miniature } from '../images/miniature.ts'
import type { Miniatures } from './miniatures.ts'
import { relationOf, type RelationThresholds } from './relation.ts'
import { SURE, VERIFIED, verified } from './verify.ts'

export interface FindOptions {
  /** How many results, at most. */
  k: number
  /** Only what it leaves. */
  filter?: ItemFilter
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
  /** Without it, what the look finds is judged by descriptors alone. */
  miniature?: Miniature
}

interface Sources {
  index: VectorIndex
  items: ItemQueries
  thresholds: RelationThresholds
  miniatures: Miniatures
}

/**
 * The items nearest to any of the looks, best first; an item's score is the best of its cosines, less the
 * look's handicap, raised where the pictures align (./verify.ts). Where a filter narrows, every vector that it leaves is compared; else the index chooses its way. Items whose files
 * are all missing are found too, as such; what no folder of the library holds is not.
 */
export async function findNearest(looks: readonly Look[], options: FindOptions, sources: Sources): Promise<SearchResponse> {
  const started = performance.now()
  const { k, filter = {}, contentHash, exclude } = options
  const { folderId } = filter
  const { items, thresholds } = sources
  const images = narrows(filter) ? members(items, filter) : undefined
  const toResult = ({ image, score }: VectorMatch): SearchResult | undefined => {
    const row = image === exclude ? undefined : items.byImage(image, folderId)
    return row && { item: toItem(row), path: row.path, score, relation: relationOf(score, thresholds, row.content_hash === contentHash) }
  }
  // Some vectors may belong to pictures that are no longer shown: when too few are left, more are asked for.
  for (let wanted = Math.max(k + 8, VERIFIED); ; wanted *= 4) {
    const { matches: nearest, unseen, ...how } = await searchAll(sources.index, looks, wanted, images)
    const matches = await secondLook(looks, nearest, sources.miniatures, exclude)
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

/** The matches in order again, after the best of them were compared as pictures. */
async function secondLook(
  looks: readonly Look[],
  matches: VectorMatch[],
  miniatures: Miniatures,
  exclude?: number,
): Promise<VectorMatch[]> {
  const pictures = looks.flatMap(({ miniature }) => miniature ?? [])
  const best = matches.find(({ image }) => image !== exclude)
  if (pictures.length === 0 || !best || best.score >= SURE) return matches
  const candidates = await Promise.all(
    matches.slice(0, VERIFIED).map(async ({ image, score }) => ({ image, score, miniature: await miniatures.of(image) })),
  )
  const scores = await verified(pictures, candidates)
  const again = candidates.map(({ image }, index) => ({ image, score: scores[index]! }))
  return [...again, ...matches.slice(VERIFIED)].sort(byScore)
}

function byScore(a: VectorMatch, b: VectorMatch): number {
  return b.score - a.score || a.image - b.image
}

/**
 * What the looks find together, best first, and the score (`unseen`) that nothing beyond their `wanted`
 * matches each can exceed; -∞ when there is nothing beyond.
 */
async function searchAll(index: VectorIndex, looks: readonly Look[], wanted: number, images?: Uint32Array) {
  const scores = new Map<number, number>()
  let unseen = Number.NEGATIVE_INFINITY
  let method: SearchResponse['method'] = 'exact'
  let searched = 0
  const answers = await Promise.all(looks.map(({ descriptor }) => index.search(descriptor, wanted, images)))
  for (const [at, { handicap }] of looks.entries()) {
    const answer = answers[at]!
    for (const { image, score } of answer.matches) scores.set(image, Math.max(score - handicap, scores.get(image) ?? -2))
    if (answer.matches.length === wanted) unseen = Math.max(unseen, answer.matches.at(-1)!.score - handicap)
    method = answer.method
    searched = images ? Math.min(images.length, answer.searched) : answer.searched
  }
  const matches = [...scores].map(([image, score]) => ({ image, score })).sort(byScore)
  return { matches, unseen, method, searched }
}

function narrows(filter: ItemFilter): boolean {
  return Object.values(filter).some((part) => part !== undefined && part !== '')
}

function members(items: ItemQueries, filter: ItemFilter): Uint32Array {
  return Uint32Array.from(items.images(filter))
}
