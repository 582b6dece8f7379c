import type { MediaReply, MediaRequest } from '../../core/hosts/utility.ts'
import type { PortLike } from '../../core/rpc/port.ts'

type Media = Omit<MediaReply, 'id'>

/** Fetches pictures from the engine over the media port of whichever engine runs now. */
export class MediaBroker {
  readonly #waiting = new Map<number, (media: Media) => void>()
  #port: PortLike | null = null
  #lastId = 0

  /** A new engine's port, or null when the engine is gone: what it had not answered is unavailable. */
  usePort(port: PortLike | null): void {
    this.#port?.close()
    this.#port = port
    for (const resolve of this.#waiting.values()) resolve(unavailable())
    this.#waiting.clear()
    port?.on?.('message', (event) => {
      const { id, ...media } = (event as { data: MediaReply }).data
      this.#waiting.get(id)?.(media)
      this.#waiting.delete(id)
    })
    port?.start()
  }

  /** The body of a media path; status 503 while there is no engine. Never throws. */
  fetch(path: string): Promise<Media> {
    const port = this.#port
    if (!port) return Promise.resolve(unavailable())
    const request: MediaRequest = { id: ++this.#lastId, path }
    return new Promise((resolve) => {
      this.#waiting.set(request.id, resolve)
      port.postMessage(request)
    })
  }
}

function unavailable(): Media {
  const body = new TextEncoder().encode('The engine is not running')
  return { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body }
}
