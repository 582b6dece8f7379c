import type { Facets, Folder, Item, ItemFilter, ItemQuery, LibraryStatus } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { PagedList } from './pagedList.svelte.ts'
import { Selection } from './selection.svelte.ts'

export type Sort = ItemQuery['sort']
/** What narrows the grid beyond its folder and the names typed for. */
export type Narrowing = Omit<ItemFilter, 'folderId' | 'within' | 'text'>
/** The most items that one call answers with. */
const MOST_ITEMS = 500

/** What the library view shows: folders, counts and the grid's list. */
export class LibraryState {
  folders = $state.raw<Folder[]>([])
  status = $state.raw<LibraryStatus | null>(null)
  /** Set once the folders were read: before that, nothing is known to be empty. */
  known = $state(false)

  folderId = $state<number | null>(null)
  /** A folder inside that folder. */
  within = $state<string | null>(null)
  narrowing = $state.raw<Narrowing>({})
  text = $state('')
  sort = $state<Sort>('added')
  descending = $state(true)

  /** Counts the engine's announcements of change, for views that keep their own data. */
  revision = $state(0)

  readonly list = new PagedList<Item>((offset, limit) => engine.api.library.items({ ...this.#question(), offset, limit }))
  readonly selection = new Selection()

  begin(): void {
    engine.onReady(() => {
      void this.#readCounts()
      this.list.refresh()
    })
    engine.on('libraryChanged', () => {
      void this.#readCounts()
      this.list.refresh()
      this.revision += 1
    })
  }

  /** Which pictures the grid shows. */
  get filter(): ItemFilter {
    const { folderId, within, text, narrowing } = this
    return {
      ...narrowing,
      ...(folderId !== null && { folderId }),
      ...(folderId !== null && within !== null && { within }),
      ...(text.trim() && { text: text.trim() }),
    }
  }

  /** Whether anything but the chosen folder narrows the grid. */
  get narrowed(): boolean {
    return this.text.trim() !== '' || Object.keys(this.narrowing).length > 0
  }

  /** Asks another question of the grid. */
  ask(change: {
    folderId?: number | null
    within?: string | null
    text?: string
    narrowing?: Narrowing
    sort?: Sort
    descending?: boolean
  }): void {
    Object.assign(this, change)
    this.selection.clear()
    this.list.reset()
  }

  /** The ids of a stretch of the grid, both ends included, fetched where they are not held. */
  async idsBetween(from: number, to: number): Promise<number[]> {
    const ids: number[] = []
    for (let offset = from; offset <= to; offset += MOST_ITEMS) {
      const limit = Math.min(MOST_ITEMS, to - offset + 1)
      const held = Array.from({ length: limit }, (_, index) => this.list.at(offset + index))
      const items = held.every((item) => item !== undefined)
        ? held
        : (await engine.api.library.items({ ...this.#question(), offset, limit })).items
      ids.push(...items.map((item) => item.id))
    }
    return ids
  }

  /** What the pictures of the chosen folder could be narrowed by, were they narrowed so. */
  facets(narrowing: Narrowing): Promise<Facets> {
    const { folderId, within, text } = this.filter
    return engine.api.library.facets({ folderId, within, text, ...narrowing })
  }

  #question() {
    return { ...this.filter, sort: this.sort, descending: this.descending }
  }

  async #readCounts(): Promise<void> {
    try {
      const [folders, status] = await Promise.all([engine.api.library.folders(), engine.api.library.status()])
      this.folders = folders.filter((folder) => folder.state !== 'removed')
      this.status = status
      this.known = true
    } catch {
      // The engine went away: the banner says so, and everything is read again when it is back.
    }
  }
}

export const library = new LibraryState()
