import { SvelteSet } from 'svelte/reactivity'

/** Which items of an ordered list are chosen. `active` is the one that the keyboard moves and the inspector shows. */
export class Selection {
  ids = new SvelteSet<number>()
  active = $state(-1)
  activeId = $state<number | null>(null)
  #anchor = -1

  /** Chooses one item alone. */
  only(index: number, id: number): void {
    this.ids.clear()
    this.ids.add(id)
    this.#activate(index, id)
    this.#anchor = index
  }

  toggle(index: number, id: number): void {
    if (!this.ids.delete(id)) this.ids.add(id)
    this.#activate(index, id)
    this.#anchor = index
  }

  /** Chooses everything between the last plain choice and this item. `idsBetween` gets both ends, inclusive. */
  async extend(index: number, id: number, idsBetween: (from: number, to: number) => Promise<number[]>): Promise<void> {
    const anchor = this.#anchor < 0 ? index : this.#anchor
    this.#activate(index, id)
    const ids = await idsBetween(Math.min(anchor, index), Math.max(anchor, index))
    // A later choice was made while the ids were fetched.
    if (this.active !== index) return
    this.ids.clear()
    for (const chosen of ids) this.ids.add(chosen)
    this.#anchor = anchor
  }

  all(ids: number[]): void {
    this.ids.clear()
    for (const id of ids) this.ids.add(id)
  }

  clear(): void {
    this.ids.clear()
    this.active = -1
    this.activeId = null
    this.#anchor = -1
  }

  /** Follows the active item when the list moved under it. */
  moved(index: number): void {
    this.active = index
    this.#anchor = index
  }

  #activate(index: number, id: number): void {
    this.active = index
    this.activeId = id
  }
}
