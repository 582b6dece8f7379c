/** Exact scans for the benches: every entry is looked at, nothing is approximated. */

/** Vectors of one length side by side, compared by their inner product. */
export class VectorTable {
  readonly count: number
  #dimension = 0
  #values = new Float32Array(0)
  readonly #isSet: Uint8Array

  constructor(count: number) {
    this.count = count
    this.#isSet = new Uint8Array(count)
  }

  set(index: number, vector: Float32Array): void {
    if (this.#dimension === 0) {
      this.#dimension = vector.length
      this.#values = new Float32Array(this.count * this.#dimension)
    }
    this.#values.set(vector, index * this.#dimension)
    this.#isSet[index] = 1
  }

  /** The entry's vector; undefined where none was set. */
  get(index: number): Float32Array | undefined {
    return this.#isSet[index] === 1 ? this.#values.subarray(index * this.#dimension, (index + 1) * this.#dimension) : undefined
  }

  /** For each query its inner product with every entry; -∞ for entries never set. */
  scores(queries: readonly Float32Array[]): Float32Array[] {
    const all = queries.map(() => new Float32Array(this.count).fill(Number.NEGATIVE_INFINITY))
    for (let index = 0; index < this.count; index++) {
      const vector = this.get(index)
      // Queries inside: the entry stays in the nearest cache.
      if (vector) for (let query = 0; query < queries.length; query++) all[query]![index] = innerProduct(vector, queries[query]!)
    }
    return all
  }
}

/** Four sums at a time keep the processor's pipeline full. Lengths are multiples of four. */
function innerProduct(x: Float32Array, y: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let at = 0; at < x.length; at += 4) {
    a += x[at]! * y[at]!
    b += x[at + 1]! * y[at + 1]!
    c += x[at + 2]! * y[at + 2]!
    d += x[at + 3]! * y[at + 3]!
  }
  return a + b + (c + d)
}

/** 64-bit hashes, compared by how many bits differ. */
export class HashTable {
  readonly count: number
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  readonly #isSet: Uint8Array

  constructor(count: number) {
    this.count = count
    this.#high = new Uint32Array(count)
    this.#low = new Uint32Array(count)
    this.#isSet = new Uint8Array(count)
  }

  set(index: number, hash: bigint): void {
    this.#high[index] = Number(hash >> 32n)
    this.#low[index] = Number(hash & 0xffffffffn)
    this.#isSet[index] = 1
  }

  /** Minus the number of bits that differ from each entry; -∞ for entries never set. */
  scores(hash: bigint): Float32Array {
    const [high, low] = [Number(hash >> 32n), Number(hash & 0xffffffffn)]
    const scores = new Float32Array(this.count).fill(Number.NEGATIVE_INFINITY)
    for (let index = 0; index < this.count; index++) {
      if (this.#isSet[index] === 1) scores[index] = -(bitsSet(high ^ this.#high[index]!) + bitsSet(low ^ this.#low[index]!))
    }
    return scores
  }
}

/** The number of ones in 32 bits (Warren, "Hacker's Delight", 5-1). */
function bitsSet(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Where the original stands among all entries. */
export interface Standing {
  /** Other pictures that score higher than it. */
  ahead: number
  /** Other pictures that score the same. */
  level: number
}

/**
 * The standing of `original`. Entries that `isSame` calls the same picture are no others: whichever of them is
 * found, it is the picture.
 */
export function standing(scores: Float32Array, original: number, isSame: (index: number) => boolean): Standing {
  let own = scores[original]!
  for (let index = 0; index < scores.length; index++) if (scores[index]! > own && isSame(index)) own = scores[index]!
  let [ahead, level] = [0, 0]
  for (let index = 0; index < scores.length; index++) {
    if (scores[index]! < own || index === original || isSame(index)) continue
    if (scores[index]! > own) ahead++
    else level++
  }
  return { ahead, level }
}

/** The chance that the original is among the first `places` when ties are broken at random. */
export function chanceAmong(places: number, { ahead, level }: Standing): number {
  return Math.min(1, Math.max(0, places - ahead) / (level + 1))
}
