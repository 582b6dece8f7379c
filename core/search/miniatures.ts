import { MINIATURE_PX, miniatureOf, type Miniature } from '../images/miniature.ts'

/** How many are kept, the longest unused forgotten first: about a kilobyte each. */
const KEPT = 8192

/** The miniatures of the library's pictures, made from their thumbnails when first asked for. */
export class Miniatures {
  readonly #thumbnail: (image: number) => Uint8Array | undefined
  readonly #kept = new Map<number, Promise<Miniature | undefined>>()

  constructor(thumbnail: (image: number) => Uint8Array | undefined) {
    this.#thumbnail = thumbnail
  }

  /** Undefined where there is no thumbnail, or none that can be read: then a picture is not looked at again. */
  of(image: number): Promise<Miniature | undefined> {
    const made = this.#kept.get(image) ?? this.#make(image)
    this.#kept.delete(image)
    this.#kept.set(image, made)
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!)
    return made
  }

  async #make(image: number): Promise<Miniature | undefined> {
    const thumbnail = this.#thumbnail(image)
    if (!thumbnail) return undefined
    return miniatureOf(thumbnail, MINIATURE_PX).catch(() => undefined)
  }
}
