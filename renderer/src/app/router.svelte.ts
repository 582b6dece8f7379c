const VIEWS = ['library', 'search', 'denoise', 'batch', 'problems', 'settings'] as const
export type View = (typeof VIEWS)[number]

/** Which view is shown, kept in the page's hash: `#/library/3/2024/Lisbon` (a folder, and one inside it), `#/search/12` and `#/denoise/12` (an item). */
export class Router {
  view = $state<View>('library')
  /** The folder or item that the view is about. */
  id = $state<number | null>(null)
  /** The folder inside that folder, by its path from there, with `/` on every system. */
  within = $state<string | null>(null)

  /** The addresses that led here within this window. */
  #trail: string[] = []

  constructor() {
    this.#read()
    window.addEventListener('hashchange', () => this.#read())
  }

  #read(): void {
    if (this.#trail.at(-2) === location.hash) this.#trail.pop()
    else if (this.#trail.at(-1) !== location.hash) this.#trail.push(location.hash)
    const [, view = '', id = '', ...within] = location.hash.split('/')
    this.view = VIEWS.find((known) => known === view) ?? 'library'
    this.id = /^[1-9]\d*$/.test(id) ? Number(id) : null
    this.within = this.id === null || within.length === 0 ? null : within.map(decodeURIComponent).join('/')
  }

  go(view: View, id: number | null = null, within: string | null = null): void {
    location.hash = ['#', view, id, ...(within?.split('/').map(encodeURIComponent) ?? [])].filter((part) => part !== null).join('/')
    this.#read()
  }

  /** Back to where one came from, but never out of the app. */
  back(): void {
    if (this.#trail.length > 1) history.back()
    else this.go('library')
  }
}

export const router = new Router()
