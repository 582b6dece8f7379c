import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { LucidexError, mediaPath, type DenoiseSession, type DenoiseTile, type JobSpec, type Tier } from '../contract/index.ts'
import { encodeTile, readPicture, readView, type Picture } from '../images/index.ts'
import { tileCores, type Inference, type NoiseLevel, type Rect } from '../inference/index.ts'
import type { JobContext } from '../jobs/types.ts'
import { denoisePicture, outward } from './denoise.ts'
import type { NoiseEstimate } from './estimate.ts'
import { chooseSigma, isClean } from './sigma.ts'

/** How many pictures stay decoded: the one on the screen and the one before. */
const KEPT = 2

interface Preview {
  revision: number
  tier: Tier
  /** A map is the estimate's own: the same one means the same noise. */
  sigma: NoiseLevel
  target: SharedArrayBuffer
  /** Tiles that are done, by `x/y`. */
  tiles: Map<string, Rect>
  finished: boolean
}

interface Session {
  id: string
  name: string
  path: string
  /** Tells whether the file is still the one that was decoded. */
  version: string
  picture: Picture
  estimate: NoiseEstimate
  preview: Preview | undefined
  /** Grows with every preview. */
  revision: number
  original: Promise<Uint8Array> | undefined
}

/** Pictures that are open in the denoise view. Their samples, and a preview's, stay in the engine. */
export class DenoiseSessions {
  readonly #inference: Inference
  readonly #sessions = new Map<string, Session>()

  constructor(inference: Inference) {
    this.#inference = inference
  }

  /** Decodes the picture and estimates its noise. Errors: those of readPicture and of the inference. */
  async open({ path, name }: { path: string; name: string }): Promise<DenoiseSession> {
    const version = await fileVersion(path)
    const picture = await readPicture(path)
    const estimate = await this.#inference.estimateNoise(picture)
    const id = randomUUID()
    this.#sessions.set(id, { id, name, path, version, picture, estimate, preview: undefined, revision: 0, original: undefined })
    while (this.#sessions.size > KEPT) this.#sessions.delete(this.#sessions.keys().next().value!)
    const { width, height, channels, format, bitDepth, profile } = picture
    return {
      id,
      name,
      width,
      height,
      format,
      bitDepth,
      hasAlpha: channels === 2 || channels === 4,
      profile,
      sigma: estimate.sigma,
      clean: isClean(estimate.sigma),
      originalUrl: mediaPath.original(id),
    }
  }

  /** Errors: SESSION_NOT_FOUND. */
  get(id: string): { name: string } {
    return this.#get(id)
  }

  close(id: string): void {
    this.#sessions.delete(id)
  }

  /**
   * Denoises a session's picture for the view, outward from the focus; `emit` gets every tile as it is
   * done. A preview that is there already for the same tier and σ is announced again without inference.
   * Errors: SESSION_NOT_FOUND and those of the inference.
   */
  async preview(
    spec: Extract<JobSpec, { kind: 'denoise-preview' }>,
    context: JobContext,
    emit: (tile: DenoiseTile) => void,
  ): Promise<void> {
    const session = this.#get(spec.sessionId)
    const { picture, preview: earlier } = session
    const { tier } = spec
    const sigma = chooseSigma(spec.sigma, session.estimate)
    const revision = ++session.revision
    const ready =
      sigma === 0 ? picture.buffer : earlier?.finished && earlier.tier === tier && earlier.sigma === sigma ? earlier.target : undefined
    const target = ready ?? new SharedArrayBuffer(picture.buffer.byteLength)
    const preview: Preview = { revision, tier, sigma, target, tiles: new Map(), finished: false }
    session.preview = preview
    const announce = (tile: Rect, done: number, total: number) => {
      preview.tiles.set(`${tile.x}/${tile.y}`, tile)
      emit({ sessionId: session.id, revision, ...tile, url: mediaPath.tile(session.id, revision, tile.x, tile.y) })
      context.progress({ done, total })
    }
    if (ready) {
      const tiles = outward(tileCores(picture.width, picture.height), spec.focus ?? { x: picture.width / 2, y: picture.height / 2 })
      for (const [index, tile] of tiles.entries()) announce(tile, index + 1, tiles.length)
    } else {
      context.progress({ done: 0, total: tileCores(picture.width, picture.height).length })
      await denoisePicture(
        this.#inference,
        picture,
        { tier, sigma, focus: spec.focus, target },
        { checkpoint: context.checkpoint, onTile: announce },
      )
    }
    preview.finished = true
  }

  /** The upright original for the screen, 8-bit sRGB, at full size. Errors: SESSION_NOT_FOUND and those of reading a picture. */
  original(id: string): Promise<Uint8Array> {
    const session = this.#get(id)
    session.original ??= readView(session.path)
    return session.original
  }

  /** A preview's tile for the screen; undefined when it is not done or belongs to an older preview. */
  async tile(id: string, revision: number, x: number, y: number): Promise<Uint8Array | undefined> {
    const session = this.#sessions.get(id)
    const preview = session?.preview
    const tile = preview?.revision === revision ? preview.tiles.get(`${x}/${y}`) : undefined
    if (!session || !preview || !tile) return undefined
    return encodeTile({ ...session.picture, buffer: preview.target }, tile)
  }

  /** What an export need not do again: the decoded picture, its estimate, and a finished preview. Undefined when the file is not open or has changed. */
  async reuse(
    path: string,
  ): Promise<
    { picture: Picture; estimate: NoiseEstimate; result(tier: Tier, sigma: NoiseLevel): SharedArrayBuffer | undefined } | undefined
  > {
    const session = [...this.#sessions.values()].findLast((candidate) => candidate.path === path)
    if (!session || (await fileVersion(path)) !== session.version) return undefined
    const { picture, estimate } = session
    return {
      picture,
      estimate,
      result: (tier, wanted) => {
        const preview = session.preview
        return preview?.finished && preview.tier === tier && preview.sigma === wanted ? preview.target : undefined
      },
    }
  }

  #get(id: string): Session {
    const session = this.#sessions.get(id)
    if (!session) throw new LucidexError('SESSION_NOT_FOUND', 'This picture is no longer open: open it again')
    return session
  }
}

/** Changes when a file is replaced or written to; empty when it is not there. */
async function fileVersion(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined)
  return info ? `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}` : ''
}
