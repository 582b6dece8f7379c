/** Exact scans for the benches: every entry is looked at, nothing is approximated. Entries never set are no one's neighbours. */

/** Descriptors side by side, compared by cosine (they have length 1). */
export class DescriptorTable {
  readonly #count: number
  #dimension = 0
  #values = new Float32Array(0)
  readonly #isSet: Uint8Array

  constructor(count: number) {
    this.#count = count
    this.#isSet = new Uint8Array(count)
  }

  set(index: number, descriptor: Float32Array): void {
    if (this.#dimension === 0) {
      this.#dimension = descriptor.length
      this.#values = new Float32Array(this.#count * this.#dimension)
    }
    this.#values.set(descriptor, index * this.#dimension)
    this.#isSet[index] = 1
  }

  /** How many entries are at least as near to `query` as `original` is, without those that `isSame` calls the same picture. */
  countAhead(query: Float32Array, original: number, isSame: (index: number) => boolean): number {
    const similarities = this.#cosines(query)
    // The best of the original's equal files: whichever is found, it is the picture.
    let own = similarities[original]!
    for (let index = 0; index < this.#count; index++) if (similarities[index]! > own && isSame(index)) own = similarities[index]!
    let ahead = 0
    for (let index = 0; index < this.#count; index++) {
      if (this.#isSet[index] === 1 && similarities[index]! >= own && index !== original && !isSame(index)) ahead++
    }
    return ahead
  }

  #cosines(query: Float32Array): Float32Array {
    const similarities = new Float32Array(this.#count)
    for (let index = 0, at = 0; index < this.#count; index++) {
      let sum = 0
      for (let component = 0; component < this.#dimension; component++, at++) sum += query[component]! * this.#values[at]!
      similarities[index] = sum
    }
    return similarities
  }
}

/** 64-bit hashes, compared by how many bits differ. */
export class HashTable {
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  readonly #isSet: Uint8Array

  constructor(count: number) {
    this.#high = new Uint32Array(count)
    this.#low = new Uint32Array(count)
    this.#isSet = new Uint8Array(count)
  }

  set(index: number, hash: bigint): void {
    this.#high[index] = Number(hash >> 32n)
    this.#low[index] = Number(hash & 0xffffffffn)
    this.#isSet[index] = 1
  }

  /** 1 when `original` is the nearest alone, 1/n when n different pictures are equally near, 0 when another is nearer. */
  shareOfFirst(hash: bigint, original: number, isSame: (index: number) => boolean): number {
    const high = Number(hash >> 32n)
    const low = Number(hash & 0xffffffffn)
    const own = bitsSet(high ^ this.#high[original]!) + bitsSet(low ^ this.#low[original]!)
    let tied = 1
    for (let index = 0; index < this.#high.length; index++) {
      const distance = bitsSet(high ^ this.#high[index]!) + bitsSet(low ^ this.#low[index]!)
      if (distance > own || this.#isSet[index] === 0 || index === original || isSame(index)) continue
      if (distance < own) return 0
      tied++
    }
    return 1 / tied
  }
}

/** The number of ones in 32 bits (Warren, "Hacker's Delight", 5-1). */
function bitsSet(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
