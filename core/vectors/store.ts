import { crc32 } from 'node:zlib'
import type { ImageSet } from './imageSet.ts'
import { createMemory, innerProducts, LANES, PAGE_BYTES } from './kernel.ts'

/** A number of a unit vector is kept as a whole number of 1/32767: cosines are right to some 0.00002. */
const SCALE = 32_767
/** Rows that are scored in one call. */
export const SLICE = 16_384
/** When more than this share of the rows is of removed vectors, they are worth closing up. */
const MAX_REMOVED = 0.2

/** Scratch areas before the codes: the query, the numbers of the rows to score, their scores. */
const QUERY_AT = 0
const ROWS_AT = PAGE_BYTES
const SCORES_AT = ROWS_AT + SLICE * 4
const CODES_AT = SCORES_AT + SLICE * 4
/** The memory grows by so many pages (16 MB): it is reserved, not used, until something is written. */
const GROWTH = 256

/**
 * The descriptors of one encoder in memory, one row each in the order of their ids (core/db: `vector.id`), as
 * 16-bit whole numbers: half the memory of floats, and exact enough that nothing has to be looked up again.
 * A removed row stays, skipped, until {@link compact} closes up the rows.
 */
export class VectorStore {
  readonly dimension: number
  /** Bytes of a row. */
  readonly #stride: number
  readonly #memory = createMemory(CODES_AT / PAGE_BYTES)
  readonly #innerProducts = innerProducts(this.#memory)
  #codes = new Int16Array(0)
  #rows = new Uint32Array(0)
  #scores = new Int32Array(0)
  #ids = new Uint32Array(1024)
  /** 0: the row was removed. */
  #images = new Uint32Array(1024)
  #checksums = new Uint32Array(1024)
  #count = 0
  #removed = 0

  constructor(dimension: number) {
    this.dimension = dimension
    this.#stride = Math.ceil(dimension / LANES) * LANES * 2
    this.#look()
  }

  /** Rows, removed ones included. */
  get count(): number {
    return this.#count
  }

  /** Vectors: rows that were not removed. */
  get size(): number {
    return this.#count - this.#removed
  }

  /** The id of the last row, 0 when there is none. */
  get lastId(): number {
    return this.#count === 0 ? 0 : this.#ids[this.#count - 1]!
  }

  get isWorn(): boolean {
    return this.#removed > this.#count * MAX_REMOVED
  }

  /** `id` is larger than all before and below 2³²; `vector` has `dimension` numbers and is of unit length. */
  append(id: number, image: number, vector: ArrayLike<number>): void {
    const row = this.#count
    this.#reserve(row + 1)
    const start = (row * this.#stride) / 2
    for (let i = 0; i < this.dimension; i++) this.#codes[start + i] = encode(vector[i]!)
    this.#ids[row] = id
    this.#images[row] = image
    this.#checksums[row] = crc32(new Uint8Array(this.#memory.buffer, CODES_AT + row * this.#stride, this.#stride))
    this.#count++
  }

  /** Takes out the vectors of these images. Returns the ids of those that were there. */
  remove(images: ReadonlySet<number>): number[] {
    const removed: number[] = []
    for (let row = 0; row < this.#count; row++) {
      if (this.#images[row] === 0 || !images.has(this.#images[row]!)) continue
      this.#images[row] = 0
      removed.push(this.#ids[row]!)
    }
    this.#removed += removed.length
    return removed
  }

  /** Closes up the rows: their numbers change, their order does not. */
  compact(): void {
    const width = this.#stride / 2
    let to = 0
    for (let row = 0; row < this.#count; row++) {
      if (this.#images[row] === 0) continue
      if (to < row) {
        this.#codes.copyWithin(to * width, row * width, (row + 1) * width)
        this.#ids[to] = this.#ids[row]!
        this.#images[to] = this.#images[row]!
        this.#checksums[to] = this.#checksums[row]!
      }
      to++
    }
    this.#count = to
    this.#removed = 0
  }

  id(row: number): number {
    return this.#ids[row]!
  }

  /** The image of a row, 0 when it was removed. */
  image(row: number): number {
    return this.#images[row]!
  }

  /** CRC-32 of a row's codes. */
  checksum(row: number): number {
    return this.#checksums[row]!
  }

  /** A row as it is kept: what {@link encodeQuery} makes of a vector. */
  code(row: number): Int16Array {
    const start = (row * this.#stride) / 2
    return this.#codes.slice(start, start + this.dimension)
  }

  /** How many rows have an id of at most `id`. */
  rowsUpTo(id: number): number {
    let [low, high] = [0, this.#count]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ids[middle]! <= id) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The row of a vector id, or undefined; also when it was removed. */
  rowOfId(id: number): number | undefined {
    const row = this.rowsUpTo(id) - 1
    return row >= 0 && this.#ids[row] === id && this.#images[row] !== 0 ? row : undefined
  }

  /** Where at most {@link SLICE} rows are named for {@link score}. */
  get slice(): Uint32Array {
    return this.#rows
  }

  /** Names the rows from … to − 1 in {@link slice}, but for removed ones and those whose image is not of `images`. Returns how many. */
  nameRows(from: number, to: number, images?: ImageSet): number {
    const imageOf = this.#images
    const rows = this.#rows
    let named = 0
    for (let row = from; row < to; row++) {
      const image = imageOf[row]!
      if (image !== 0 && (images === undefined || images.has(image))) rows[named++] = row
    }
    return named
  }

  /** Scores the first `count` rows named in {@link slice}: inner products, in units of 1/{@link UNIT}. Valid until the next call. */
  score(query: Int16Array, count: number): Int32Array {
    new Int16Array(this.#memory.buffer, QUERY_AT, this.#stride / 2).set(query)
    this.#innerProducts(QUERY_AT, CODES_AT, this.#stride, ROWS_AT, count, SCORES_AT)
    return this.#scores
  }

  #reserve(rows: number): void {
    if (rows > this.#ids.length) {
      this.#ids = enlarged(this.#ids)
      this.#images = enlarged(this.#images)
      this.#checksums = enlarged(this.#checksums)
    }
    if (rows * this.#stride <= this.#codes.byteLength) return
    this.#memory.grow(GROWTH)
    this.#look()
  }

  /** Views of the memory: growing it makes the old ones void. */
  #look(): void {
    const { buffer } = this.#memory
    this.#codes = new Int16Array(buffer, CODES_AT)
    this.#rows = new Uint32Array(buffer, ROWS_AT, SLICE)
    this.#scores = new Int32Array(buffer, SCORES_AT, SLICE)
  }
}

/** What an inner product of 1 scores. */
export const UNIT = SCALE * SCALE

/** A query's numbers as the store's rows have them. */
export function encodeQuery(query: ArrayLike<number>): Int16Array {
  return Int16Array.from(query, encode)
}

/** The vector that codes stand for. */
export function decode(code: Int16Array): number[] {
  return Array.from(code, (value) => value / SCALE)
}

function encode(value: number): number {
  return Math.max(-SCALE, Math.min(SCALE, Math.round(value * SCALE)))
}

function enlarged(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
