/** Images by id, as a set that is asked once for every row. */
export class ImageSet {
  /** One bit for each id up to the largest. */
  readonly #bits: Uint8Array

  constructor(images: Uint32Array) {
    // Loops over indices: this one takes a million images for a filter that leaves most.
    let largest = 0
    for (let i = 0; i < images.length; i++) largest = Math.max(largest, images[i]!)
    const bits = new Uint8Array((largest >>> 3) + 1)
    for (let i = 0; i < images.length; i++) bits[images[i]! >>> 3]! |= 1 << (images[i]! & 7)
    this.#bits = bits
  }

  /** Not so for ids beyond the largest, whose bits are not there. */
  has(image: number): boolean {
    return (this.#bits[image >>> 3]! & (1 << (image & 7))) !== 0
  }
}
