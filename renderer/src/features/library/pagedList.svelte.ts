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
 * Pages are asked for by what is shown now, then those beside it: those passed while scrolling fast are never fetched.
 */
export class PagedList<T> {
  /** Null until the first page has come. */
  total = $state<number | null>(null)
  error = $state.raw<unknown>(null)

  #fetch: (offset: number, limit: number) => Promise<Page<T>>
  #pages = new SvelteMap<number, T[]>()
  #requested = new Set<number>()
  #first = 0
  #last = 0
  /** Answers to an earlier question are dropped. */
  #question = 0
  /** The shown pages are being read again; `again`: the data changed once more meanwhile. */
  #renewing = false
  #again = false

  constructor(fetch: (offset: number, limit: number) => Promise<Page<T>>) {
    this.#fetch = fetch
  }

  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE]
  }

  /** Where an item is now, among those that are held. */
  indexOf(isIt: (item: T) => boolean): number | undefined {
    for (const [page, items] of this.#pages) {
      const index = items.findIndex(isIt)
      if (index >= 0) return page * PAGE_SIZE + index
    }
    return undefined
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
    this.#requested.clear()
    this.#renewing = false
    this.#again = false
    this.total = null
    this.error = null
    this.#first = 0
    this.#last = 0
    this.#pump()
  }

  /** The same question over changed data: what is shown stays until all of it is there anew, and then changes at once. */
  refresh(): void {
    if (this.#renewing) this.#again = true
    else void this.#renew()
  }

  async #renew(): Promise<void> {
    const question = ++this.#question
    this.#requested.clear()
    this.#renewing = true
    const old = [...this.#pages.keys()]
    try {
      const pages = this.#wanted()
      const answers = await Promise.all(pages.map((page) => this.#fetch(page * PAGE_SIZE, PAGE_SIZE)))
      if (question !== this.#question) return
      for (const page of old) if (!pages.includes(page)) this.#pages.delete(page)
      for (const [index, page] of pages.entries()) this.#pages.set(page, answers[index]!.items)
      this.total = answers[0]!.total
      this.error = null
    } catch (error) {
      if (question !== this.#question) return
      this.error = error
    }
    this.#renewing = false
    if (this.#again) {
      this.#again = false
      void this.#renew()
    } else this.#pump()
  }

  /** The pages that are shown, then the one after and the one before. */
  #wanted(): number[] {
    const shown = Array.from({ length: this.#last - this.#first + 1 }, (_, index) => this.#first + index)
    const there = (page: number) => page === 0 || (page > 0 && (this.total === null || page * PAGE_SIZE < this.total))
    return [...shown, ...(this.total === null ? [] : [this.#last + 1, this.#first - 1])].filter(there)
  }

  #pump(): void {
    for (const page of this.#wanted()) {
      if (this.#requested.size >= MOST_REQUESTS) return
      if (!this.#pages.has(page) && !this.#requested.has(page)) void this.#load(page)
    }
  }

  async #load(page: number): Promise<void> {
    const question = this.#question
    this.#requested.add(page)
    try {
      const answer = await this.#fetch(page * PAGE_SIZE, PAGE_SIZE)
      if (question !== this.#question) return
      this.#pages.set(page, answer.items)
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
