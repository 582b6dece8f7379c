import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createRandom, type Random } from '../../../core/random.ts'
import { encodePhoto } from '../../support/pictures.ts'

/** A folder of small pictures, no two alike, that changes as folders do. The same seed gives the same changes. */
export class Album {
  readonly folder: string
  readonly #random: Random
  #next = 0

  private constructor(folder: string, random: Random) {
    this.folder = folder
    this.#random = random
  }

  static async create(folder: string, pictures: number, seed = 1): Promise<Album> {
    await mkdir(folder, { recursive: true })
    const album = new Album(folder, createRandom(seed))
    for (let i = 0; i < pictures; i++) await album.add()
    return album
  }

  /** Paths of the pictures, in a fixed order. */
  async pictures(): Promise<string[]> {
    return (await readdir(this.folder)).sort().map((name) => path.join(this.folder, name))
  }

  async add(): Promise<string> {
    const file = path.join(this.folder, `${String(this.#next).padStart(5, '0')}.jpg`)
    await writeFile(file, await this.#draw())
    return file
  }

  /** Adds `count` pictures, deletes as many, renames one and gives another other content. */
  async change(count: number): Promise<void> {
    const before = await this.pictures()
    const pick = () => before.splice(this.#random.integer(before.length), 1)[0]!
    for (let i = 0; i < count; i++) {
      await this.add()
      await rm(pick())
    }
    const renamed = pick()
    await rename(renamed, renamed.replace('.jpg', '-renamed.jpg'))
    await writeFile(pick(), await this.#draw())
  }

  #draw(): Promise<Buffer> {
    return encodePhoto(createRandom(1_000_003 + this.#next++), { width: 80, height: 60 })
  }
}
