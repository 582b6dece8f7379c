import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { LucidexError, mediaPath, UPLOAD_MAX_BYTES, type Query } from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'

/** A picture from outside the library that is searched by or denoised. */
interface Held {
  query: Query
  /** The file itself, or our temporary copy of an upload. */
  path: string
  temporary: boolean
}

/** How many outside pictures are kept; the oldest upload is deleted first. */
const KEPT = 24

/**
 * Pictures given from outside the library: dropped, pasted, chosen. Uploads are kept as temporary
 * files, so that they can be decoded again at full size, and are gone when the engine stops.
 */
export class QueryStore {
  readonly #decoder: Pick<PictureDecoder, 'readForQuery'>
  readonly #held = new Map<string, Held>()
  #folder: Promise<string> | undefined

  constructor(decoder: Pick<PictureDecoder, 'readForQuery'>) {
    this.#decoder = decoder
  }

  /** Errors: FILE_TOO_LARGE, and those of reading a picture. */
  async upload(name: string, bytes: Uint8Array): Promise<Query> {
    if (bytes.byteLength > UPLOAD_MAX_BYTES) {
      throw new LucidexError('FILE_TOO_LARGE', `${name} is larger than ${UPLOAD_MAX_BYTES / 1024 / 1024} MiB`, { path: name })
    }
    this.#folder ??= mkdtemp(path.join(tmpdir(), 'lucidex-query-'))
    const id = randomUUID()
    const file = path.join(
      await this.#folder,
      id +
        path
          .extname(name)
          .slice(0, 8)
          .replaceAll(/[^.\w]/g, ''),
    )
    await writeFile(file, bytes, { mode: 0o600 })
    try {
      return this.#keep(id, { path: file, temporary: true, name, ...(await this.#measure(file)) })
    } catch (thrown) {
      await rm(file, { force: true })
      // The temporary file's own name says nothing.
      if (thrown instanceof LucidexError) throw new LucidexError(thrown.code, `${name}: ${thrown.message}`, { path: name, cause: thrown })
      throw thrown
    }
  }

  /** Errors: FILE_NOT_FOUND, FILE_NOT_READABLE and those of reading a picture. */
  async open(file: string): Promise<Query> {
    const full = path.resolve(file)
    const info = await stat(full).catch((cause: unknown) => {
      throw new LucidexError('FILE_NOT_FOUND', `${full} is not there`, { path: full, cause })
    })
    if (!info.isFile()) throw new LucidexError('FILE_NOT_READABLE', `${full} is not a file`, { path: full })
    return this.#keep(randomUUID(), { path: full, temporary: false, name: path.basename(full), ...(await this.#measure(full)) })
  }

  /** Errors: QUERY_NOT_FOUND. */
  get(id: string): { query: Query; path: string } {
    const held = this.#held.get(id)
    if (!held) throw new LucidexError('QUERY_NOT_FOUND', 'This picture is no longer held: give it again')
    return held
  }

  async close(): Promise<void> {
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true })
  }

  /** Decodes it: what is damaged is refused at once. */
  async #measure(file: string): Promise<{ width: number; height: number }> {
    const { width, height } = await this.#decoder.readForQuery(file)
    return { width, height }
  }

  #keep(id: string, held: { path: string; temporary: boolean; name: string; width: number; height: number }): Query {
    const query = { id, name: held.name, width: held.width, height: held.height, url: mediaPath.query(id) }
    this.#held.set(id, { query, path: held.path, temporary: held.temporary })
    while (this.#held.size > KEPT) {
      const [oldest, dropped] = this.#held.entries().next().value!
      this.#held.delete(oldest)
      if (dropped.temporary) void rm(dropped.path, { force: true })
    }
    return query
  }
}
