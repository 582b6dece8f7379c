const VIEWS = ['library', 'search', 'denoise', 'batch', 'problems', 'settings'] as const
export type View = (typeof VIEWS)[number]

/** Which view is shown, kept in the page's hash: `#/library/3` (a folder), `#/search/12` and `#/denoise/12` (an item). */
export class Router {
  view = $state<View>('library')
  /** The folder or item that the view is about. */
  id = $state<number | null>(null)

  /** The addresses that led here within this window. */
  #trail: string[] = []

  constructor() {
    this.#read()
    window.addEventListener('hashchange', () => this.#read())
  }

  #read(): void {
    if (this.#trail.at(-2) === location.hash) this.#trail.pop()
    else if (this.#trail.at(-1) !== location.hash) this.#trail.push(location.hash)
    const [, view = '', id = ''] = location.hash.split('/')
    this.view = VIEWS.find((known) => known === view) ?? 'library'
    this.id = /^[1-9]\d*$/.test(id) ? Number(id) : null
  }

  go(view: View, id: number | null = null): void {
    location.hash = id === null ? `#/${view}` : `#/${view}/${id}`
    this.#read()
  }

  /** Back to where one came from, but never out of the app. */
  back(): void {
    if (this.#trail.length > 1) history.back()
    else this.go('library')
  }
}

export const router = new Router()
