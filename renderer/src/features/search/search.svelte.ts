import type { ItemFilter, Query, Region, Relation, SearchResponse, SearchResult, Source } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { library } from '../library/library.svelte.ts'

const MOST_RESULTS = 120

/** The picture that is searched by. */
export interface Subject {
  source: Source
  /** The same picture for denoising: a path keeps its place on the disk. */
  original: Source
  name: string
  url: string
  width: number
  height: number
}

/** Where it is searched: everywhere, in what the library shows with its filters, or in one folder. */
export type Scope = 'everywhere' | 'shown' | number

export interface ResultGroup {
  relation: Relation
  results: SearchResult[]
}

const ORDER: Relation[] = ['same-file', 'copy', 'near-duplicate', 'similar', 'unrelated']

/** Results by relation, the closest first, each group by score. */
export function groupResults(results: SearchResult[]): ResultGroup[] {
  return ORDER.map((relation) => ({
    relation,
    results: results.filter((result) => result.relation === relation).sort((a, b) => b.score - a.score),
  })).filter((group) => group.results.length > 0)
}

export class SearchState {
  subject = $state.raw<Subject | null>(null)
  /** The box searched by, as shares of the picture; null for the whole. */
  region = $state.raw<Region | null>(null)
  scope = $state<Scope>('everywhere')
  response = $state.raw<SearchResponse | null>(null)
  error = $state.raw<unknown>(null)
  busy = $state(false)
  /** A picture is being handed to the engine. */
  waiting = $state(false)
  showWeak = $state(false)
  /** The chosen result's item. */
  chosenId = $state<number | null>(null)
  /** The library item searched by, if it is one. */
  itemId = $state<number | null>(null)
  #question = 0
  /** The filter of the last search. */
  #searched = ''

  get filter(): ItemFilter {
    if (this.scope === 'shown') return library.filter
    return this.scope === 'everywhere' ? {} : { folderId: this.scope }
  }

  byGiven({ query, source }: { query: Query; source: Source }): void {
    this.itemId = null
    this.#begin({
      source: { kind: 'query', id: query.id },
      original: source,
      name: query.name,
      url: query.url,
      width: query.width,
      height: query.height,
    })
  }

  async byItem(id: number): Promise<void> {
    this.itemId = id
    this.error = null
    try {
      const item = await engine.api.library.item({ id })
      const source = { kind: 'item', id } as const
      if (this.itemId === id)
        this.#begin({ source, original: source, name: item.name, url: item.pictureUrl, width: item.width, height: item.height })
    } catch (error) {
      if (this.itemId === id) this.error = error
    }
  }

  byRegion(region: Region | null): void {
    this.region = region
    void this.run()
  }

  within(scope: Scope): void {
    this.scope = scope
    void this.run()
  }

  /** Searches again where the library has come to show something else. */
  renew(): void {
    if (this.scope === 'shown' && this.subject && this.#searched !== JSON.stringify(library.filter)) void this.run()
  }

  clear(): void {
    this.#question += 1
    this.itemId = null
    this.subject = null
    this.region = null
    this.response = null
    this.error = null
    this.busy = false
    this.chosenId = null
  }

  async run(): Promise<void> {
    const { subject, region, filter } = this
    if (!subject) return
    const question = ++this.#question
    this.#searched = JSON.stringify(filter)
    this.busy = true
    this.error = null
    try {
      const response = await engine.api.search.find({
        source: subject.source,
        ...(region && { region }),
        ...filter,
        k: MOST_RESULTS,
      })
      if (question !== this.#question) return
      this.response = response
      this.chosenId = response.results.find((result) => result.relation !== 'unrelated')?.item.id ?? null
      // When all are weak, an empty page would hide that there were any.
      this.showWeak = response.results.every((result) => result.relation === 'unrelated')
    } catch (error) {
      if (question !== this.#question) return
      this.error = error
      this.response = null
    } finally {
      if (question === this.#question) this.busy = false
    }
  }

  #begin(subject: Subject): void {
    this.subject = subject
    this.region = null
    this.response = null
    void this.run()
  }
}

export const search = new SearchState()
