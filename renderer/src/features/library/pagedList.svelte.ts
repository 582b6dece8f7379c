import { SvelteMap } from 'svelte/reactivity'

export const PAGE_SIZE = 200
/** Pages kept, around what is shown: 8,000 items. */
const MOST_PAGES = 40
const MOST_REQUESTS = 2

export interface Page<T> {
  total: number
  items: T[]
}

/**
 * A long list on the engine's side, of which only the pages around what is shown are held.
 * Pages are asked for by what is shown now: those passed while scrolling fast are never fetched.
 */
export class PagedList<T> {
  /** Null until the first page has come. */
  total = $state<number | null>(null)
  error = $state.raw<unknown>(null)

  #fetch: (offset: number, limit: number) => Promise<Page<T>>
  #pages = new SvelteMap<number, T[]>()
  #stale = new Set<number>()
  #requested = new Set<number>()
  #first = 0
  #last = 0
  /** Answers to an earlier question are dropped. */
  #question = 0

  constructor(fetch: (offset: number, limit: number) => Promise<Page<T>>) {
    this.#fetch = fetch
  }

  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE]
  }

  /** Says which items are on the screen; loads what is missing of them. */
  show(firstIndex: number, lastIndex: number): void {
    this.#first = Math.max(0, Math.floor(firstIndex / PAGE_SIZE))
    this.#last = Math.max(this.#first, Math.floor(lastIndex / PAGE_SIZE))
    this.#pump()
  }

  /** Another question: forgets everything and starts at the top. */
  reset(): void {
    this.#question += 1
    this.#pages.clear()
    this.#stale.clear()
    this.#requested.clear()
    this.total = null
    this.error = null
    this.#first = 0
    this.#last = 0
    this.#pump()
  }

  /** The same question over changed data: what is shown stays until its new page is there. */
  refresh(): void {
    this.#question += 1
    this.#requested.clear()
    for (const page of [...this.#pages.keys()]) {
      if (page < this.#first || page > this.#last) this.#pages.delete(page)
      else this.#stale.add(page)
    }
    this.#pump()
  }

  #pump(): void {
    for (let page = this.#first; page <= this.#last && this.#requested.size < MOST_REQUESTS; page += 1) {
      const beyond = this.total !== null && page > 0 && page * PAGE_SIZE >= this.total
      const held = this.#pages.has(page) && !this.#stale.has(page)
      if (!held && !beyond && !this.#requested.has(page)) void this.#load(page)
    }
  }

  async #load(page: number): Promise<void> {
    const question = this.#question
    this.#requested.add(page)
    try {
      const answer = await this.#fetch(page * PAGE_SIZE, PAGE_SIZE)
      if (question !== this.#question) return
      this.#pages.set(page, answer.items)
      this.#stale.delete(page)
      this.total = answer.total
      this.error = null
      this.#forgetFarPages()
    } catch (error) {
      if (question !== this.#question) return
      this.error = error
      // Not asked again until something is shown or changes, or a failing engine would be hammered.
      this.#requested.delete(page)
      return
    }
    this.#requested.delete(page)
    this.#pump()
  }

  #forgetFarPages(): void {
    if (this.#pages.size <= MOST_PAGES) return
    const middle = (this.#first + this.#last) / 2
    const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
    for (const page of far.slice(0, this.#pages.size - MOST_PAGES)) this.#pages.delete(page)
  }
}
