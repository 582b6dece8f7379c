import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { MEDIA_PREFIX, mediaPath, toErrorData, VIEW_PX } from './contract/index.ts'
import type { DenoiseSessions } from './denoise/index.ts'
import type { PictureDecoder } from './decoder/types.ts'
import type { Library } from './library/index.ts'
import type { QueryStore } from './search/queries.ts'
import type { Reconstructions } from './search/reconstruction.ts'

export interface MediaResponse {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

/** Files made to be fetched once by a browser, in a temporary folder that goes when the engine stops. */
export class Downloads {
  readonly #files = new Map<string, string>()
  #folder: Promise<string> | undefined

  /** A place to write a file named like `name`, and the URL it will have. */
  async reserve(name: string): Promise<{ path: string; url: (name: string) => string }> {
    this.#folder ??= mkdtemp(path.join(tmpdir(), 'lucidex-export-'))
    const id = randomUUID()
    const file = path.join(await this.#folder, `${id}-${path.basename(name)}`)
    return {
      path: file,
      // The writer may have had to change the extension: the URL is made of what was written.
      url: (written) => {
        this.#files.set(id, written)
        return mediaPath.download(id, path.basename(written).slice(id.length + 1))
      },
    }
  }

  get(id: string): string | undefined {
    return this.#files.get(id)
  }

  async close(): Promise<void> {
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true })
  }
}

interface MediaSources {
  library: Library
  decoder: PictureDecoder
  queries: QueryStore
  reconstructions: Reconstructions
  sessions: DenoiseSessions
  downloads: Downloads
}

/** "Media never change": a path names one body for ever, so that the window may keep it. */
const IMMUTABLE = { 'Cache-Control': 'private, max-age=31536000, immutable' }

/** Answers media paths (contract/media.ts). What is not there is a 404 with the reason; nothing throws. */
export function createMedia({
  library,
  decoder,
  queries,
  reconstructions,
  sessions,
  downloads,
}: MediaSources): (pathname: string) => Promise<MediaResponse> {
  const routes: Record<string, (parts: string[]) => Promise<MediaResponse | undefined>> = {
    async thumbnail([imageId]) {
      const body = library.thumbnail(Number(imageId))
      return body && picture(body)
    },
    async picture([imageId]) {
      return picture(await decoder.readView(library.pathOf(Number(imageId)), VIEW_PX))
    },
    async reconstruction([imageId]) {
      return picture((await reconstructions.of(Number(imageId))).png)
    },
    async query([queryId = '']) {
      return picture(await decoder.readView(queries.get(queryId).path, VIEW_PX))
    },
    async original([sessionId = '', maxPx]) {
      return picture(await sessions.original(sessionId, maxPx === undefined ? undefined : Number(maxPx)))
    },
    async tile([sessionId = '', revision, x, y]) {
      const body = await sessions.tile(sessionId, Number(revision), Number(x), Number(y))
      return body && picture(body)
    },
    async look([sessionId = '', revision, x, y]) {
      const body = await sessions.lookTile(sessionId, Number(revision), Number(x), Number(y))
      return body && picture(body)
    },
    async confidence([sessionId = '', revision, x, y]) {
      const body = await sessions.confidencePart(sessionId, Number(revision), Number(x), Number(y))
      return body && picture(body)
    },
    async download([exportId = '', name = '']) {
      const file = downloads.get(exportId)
      if (!file) return undefined
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(decodeURIComponent(name))}`,
        'Cache-Control': 'no-store',
      }
      return { status: 200, headers, body: await readFile(file) }
    },
  }

  return async (pathname) => {
    try {
      const [kind = '', ...parts] = pathname.slice(MEDIA_PREFIX.length).split('/')
      const route = Object.hasOwn(routes, kind) ? routes[kind] : undefined
      return (await route?.(parts)) ?? missing('Not found')
    } catch (thrown) {
      return missing(toErrorData(thrown).message)
    }
  }
}

function picture(body: Uint8Array): MediaResponse {
  return { status: 200, headers: { 'Content-Type': sniff(body), ...IMMUTABLE }, body }
}

function missing(reason: string): MediaResponse {
  return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }, body: Buffer.from(reason) }
}

/** The media type of the encoded pictures that the engine itself makes. */
function sniff(body: Uint8Array): string {
  if (body[0] === 0xff && body[1] === 0xd8) return 'image/jpeg'
  if (body[0] === 0x89 && body[1] === 0x50) return 'image/png'
  return 'image/webp'
}
