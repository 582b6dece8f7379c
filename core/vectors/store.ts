/**
 * The descriptors of one encoder in memory: one row each in one contiguous array, in the order of their
 * ids (core/db: `vector.id`). Rows are only ever added: what was added stays where it is.
 */
export class VectorStore {
  readonly dimension: number
  #data: Float32Array
  #ids: number[] = []
  #images: number[] = []
  #rowOfImage = new Map<number, number>()

  constructor(dimension: number) {
    this.dimension = dimension
    this.#data = new Float32Array(1024 * dimension)
  }

  get count(): number {
    return this.#ids.length
  }

  /** The id of the newest vector, 0 when there is none: the generation that an index over all rows covers. */
  get generation(): number {
    return this.#ids.at(-1) ?? 0
  }

  /** `count` × `dimension` numbers, and room for more behind them. */
  get data(): Float32Array {
    return this.#data
  }

  /** `id` is larger than all before; `vector` has `dimension` numbers. */
  add(id: number, image: number, vector: Float32Array): void {
    const row = this.count
    if ((row + 1) * this.dimension > this.#data.length) {
      const larger = new Float32Array(this.#data.length * 2)
      larger.set(this.#data)
      this.#data = larger
    }
    this.#data.set(vector, row * this.dimension)
    this.#ids.push(id)
    this.#images.push(image)
    this.#rowOfImage.set(image, row)
  }

  id(row: number): number {
    return this.#ids[row]!
  }

  image(row: number): number {
    return this.#images[row]!
  }

  /** A copy of one row. */
  vector(row: number): Float32Array {
    return this.#data.slice(row * this.dimension, (row + 1) * this.dimension)
  }

  rowOf(image: number): number | undefined {
    return this.#rowOfImage.get(image)
  }

  /** How many rows have an id of at most `generation`. */
  rowsUpTo(generation: number): number {
    let [low, high] = [0, this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ids[middle]! <= generation) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The row of a vector id, or undefined. */
  rowOfId(id: number): number | undefined {
    const row = this.rowsUpTo(id) - 1
    return row >= 0 && this.#ids[row] === id ? row : undefined
  }
}
