import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import {
  CONFIDENCE_CELL,
  CONFIDENCE_SCALE,
  LucidexError,
  mediaPath,
  type DenoiseConfidence,
  type DenoiseSession,
  type DenoiseTile,
  type JobSpec,
  type StructureLoss,
  type Tier,
} from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import { encodeGrey, encodeTile, type Picture } from '../images/index.ts'
import { expectedError, type Inference, type NoiseLevel, type Rect, type Tile } from '../inference/index.ts'
import type { JobContext } from '../jobs/types.ts'
import { denoisePicture, outwardFrom } from './denoise.ts'
import type { NoiseEstimate } from './estimate.ts'
import { coveredBy, fittedBox, fittedLook, isWorth, lookAt, ReducedPicture, type Look } from './firstLook.ts'
import { chooseSigma, isClean } from './sigma.ts'
import { measureStructureLoss, STRUCTURE_LIMIT } from './structure.ts'

/** How many pictures stay decoded: the one on the screen and the one before. */
const KEPT = 2
/** Side of the parts of a confidence map, in pixels: whole cells. */
const PART = 512

/** The noise of a first look is estimated from so many tiles: it is shown for a moment. */
const LOOK_TILES = 6

type PreviewSpec = Extract<JobSpec, { kind: 'denoise-preview' }>
type View = NonNullable<PreviewSpec['view']>

interface Preview {
  revision: number
  tier: Tier
  /** A map is the estimate's own: the same one means the same noise. */
  sigma: NoiseLevel
  target: SharedArrayBuffer
  /** Tiles that are done, by `x/y`. */
  tiles: Map<string, Rect>
  /** What was shown first, denoised, and its tiles. */
  look?: Picture
  lookTiles: Map<string, Rect>
  finished: boolean
  structure?: Promise<StructureLoss>
}

/** A map of what is uncertain, in parts by `x/y`. */
interface Confidence {
  revision: number
  parts: Map<string, { values: Uint8Array; columns: number }>
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
  /** The last one stays: another level of noise is looked at in the same place. */
  reduced: ReducedPicture | undefined
  confidence: Confidence
  /** Grows with every preview. */
  revision: number
  original: Promise<Uint8Array> | undefined
}

/** Pictures that are open in the denoise view. Their samples, and a preview's, stay in the engine. */
export class DenoiseSessions {
  readonly #inference: Inference
  readonly #decoder: PictureDecoder
  readonly #sessions = new Map<string, Session>()
  /** The one that was asked for last: it will be again. */
  #tier: Tier = 'best'
  /** Screen pixels that the last picture was fitted into when it was first shown: so will the next one be. */
  #fitted: { width: number; height: number } | undefined

  constructor(inference: Inference, decoder: PictureDecoder) {
    this.#inference = inference
    this.#decoder = decoder
  }

  /** Decodes the picture and estimates its noise. Errors: those of PictureDecoder.readPicture and of the inference. */
  async open({ path, name }: { path: string; name: string }): Promise<DenoiseSession> {
    this.#inference.prepare(this.#tier)
    const version = await fileVersion(path)
    const picture = await this.#decoder.readPicture(path)
    const estimating = this.#inference.estimateNoise(picture)
    // Beside the estimate, which takes about as long.
    const look = this.#fitted && fittedLook(picture, this.#fitted)
    const reduced = look && this.#reduce(picture, look)
    const estimate = await estimating
    if (!isClean(estimate.sigma)) void reduced?.noise()
    const id = randomUUID()
    this.#sessions.set(id, {
      id,
      name,
      path,
      version,
      picture,
      estimate,
      preview: undefined,
      reduced,
      confidence: { revision: 0, parts: new Map() },
      revision: 0,
      original: undefined,
    })
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
   * done. What an earlier preview with the same tier and σ has done, finished or not, is announced again without
   * inference: a preview can be started anew whenever someone looks elsewhere.
   * Errors: SESSION_NOT_FOUND and those of the inference.
   */
  async preview(spec: PreviewSpec, context: JobContext, emit: (tile: DenoiseTile) => void): Promise<void> {
    const session = this.#get(spec.sessionId)
    const { picture, preview: earlier } = session
    const { tier } = spec
    this.#tier = tier
    const sigma = chooseSigma(spec.sigma, session.estimate)
    const revision = ++session.revision
    const known = earlier?.tier === tier && earlier.sigma === sigma ? earlier : undefined
    const target = sigma === 0 ? picture.buffer : (known?.target ?? new SharedArrayBuffer(picture.buffer.byteLength))
    const preview: Preview = { revision, tier, sigma, target, tiles: new Map(), lookTiles: new Map(), finished: false }
    session.preview = preview

    const tiles = this.#tilesFrom(spec.focus ?? middleOf(picture), tier, picture)
    const announce = (tile: Rect) => {
      preview.tiles.set(keyOf(tile), tile)
      emit({ sessionId: session.id, revision, ...tile, url: mediaPath.tile(session.id, revision, tile.x, tile.y) })
      context.progress({ done: preview.tiles.size, total: tiles.length })
    }
    context.progress({ done: 0, total: tiles.length })
    const isDone = (tile: Rect) => sigma === 0 || known?.tiles.has(keyOf(tile)) === true
    for (const { core } of tiles) if (isDone(core)) announce(core)
    const missing = tiles.filter(({ core }) => !isDone(core))
    if (spec.view) {
      const { view } = spec
      const instead = missing.filter(({ core }) => overlap(core, view))
      await this.#showLook(session, preview, { ...spec, view, instead }, context, emit)
    }
    const steps = { checkpoint: context.checkpoint, onTile: announce }
    if (sigma !== 0) await denoisePicture(this.#inference, picture, { tier, sigma, target, tiles: missing }, steps)
    preview.finished = true
  }

  /** "The first look", where it is there much sooner than the tiles that would show the same. */
  async #showLook(
    session: Session,
    preview: Preview,
    { tier, view, sigma: setting, instead }: Pick<PreviewSpec, 'tier' | 'sigma'> & { view: View; instead: readonly Tile[] },
    context: JobContext,
    emit: (tile: DenoiseTile) => void,
  ): Promise<void> {
    const look = lookAt(session.picture, view)
    const { scale, size, part } = look
    if (preview.revision === 1) this.#fitted = fittedBox(session.picture, look, view)
    const tiles = this.#tilesFrom(middleOf(part), tier, size, part)
    if (!isWorth(tiles, instead)) return
    const { picture, sigma } =
      scale === 1 ? { picture: session.picture, sigma: preview.sigma } : await this.#reduced(session, look, setting)
    const target = scale === 1 ? preview.target : new SharedArrayBuffer(picture.buffer.byteLength)
    const { revision, lookTiles } = preview
    preview.look = { ...picture, buffer: target }
    await denoisePicture(
      this.#inference,
      picture,
      { tier, sigma, target, tiles },
      {
        checkpoint: context.checkpoint,
        onTile(tile) {
          lookTiles.set(keyOf(tile), tile)
          const url = mediaPath.look(session.id, revision, tile.x, tile.y)
          emit({ sessionId: session.id, revision, ...coveredBy(tile, look), url, scale })
        },
      },
    )
  }

  /** The picture made smaller for a look, and the level of its noise. Only of white noise it is known how much is left. */
  async #reduced(session: Session, look: Look, setting: PreviewSpec['sigma']): Promise<{ picture: Picture; sigma: NoiseLevel }> {
    if (!session.reduced?.isFor(look)) session.reduced = this.#reduce(session.picture, look)
    const { reduced } = session
    try {
      const picture = await reduced.picture
      return { picture, sigma: setting === 'auto' ? chooseSigma('auto', await reduced.noise()) : setting / look.scale }
    } catch (thrown) {
      session.reduced = undefined
      throw thrown
    }
  }

  #reduce(picture: Picture, look: Look): ReducedPicture {
    return new ReducedPicture(picture, look, (reduced) => this.#inference.estimateNoise(reduced, LOOK_TILES))
  }

  #tilesFrom(place: { x: number; y: number }, tier: Tier, size: { width: number; height: number }, part?: Rect): Tile[] {
    const nearer = outwardFrom(place)
    return this.#inference.plan(tier, size, 'view', part).toSorted((a, b) => nearer(a.core, b.core))
  }

  /**
   * Where a session's denoised picture is uncertain, part by part from the middle of the area; `emit` gets each
   * part as it is done. Errors: SESSION_NOT_FOUND and those of the inference.
   */
  async confidence(
    spec: Extract<JobSpec, { kind: 'denoise-confidence' }>,
    context: JobContext,
    emit: (part: DenoiseConfidence) => void,
  ): Promise<void> {
    const session = this.#get(spec.sessionId)
    const { picture } = session
    const sigma = chooseSigma(spec.sigma, session.estimate)
    const curve = this.#inference.confidenceCurve(spec.tier)
    const confidence: Confidence = { revision: session.confidence.revision + 1, parts: new Map() }
    session.confidence = confidence
    const parts = partsOf(spec.area ?? { x: 0, y: 0, width: picture.width, height: picture.height }, picture)
    context.progress({ done: 0, total: parts.length })
    for (const [index, part] of parts.entries()) {
      await context.checkpoint()
      const { buffer, width, height, channels, bitDepth } = picture
      const columns = Math.ceil(part.width / CONFIDENCE_CELL)
      const spread =
        sigma === 0
          ? new Float32Array(columns * Math.ceil(part.height / CONFIDENCE_CELL))
          : await this.#inference.spread(spec.tier, { source: { buffer, width, height, channels, bitDepth }, core: part, sigma })
      const values = Uint8Array.from(spread, (value, cell) => {
        const x = part.x + (cell % columns) * CONFIDENCE_CELL
        const y = part.y + Math.floor(cell / columns) * CONFIDENCE_CELL
        const error = sigma !== 0 && curve ? expectedError(curve.knots, value, levelAt(sigma, x, y)) : value
        return Math.min(255, Math.round(error * CONFIDENCE_SCALE))
      })
      confidence.parts.set(keyOf(part), { values, columns })
      const url = mediaPath.confidence(session.id, confidence.revision, part.x, part.y)
      emit({ sessionId: session.id, revision: confidence.revision, ...part, url, calibrated: curve !== null })
      context.progress({ done: index + 1, total: parts.length })
    }
  }

  /** A part of a confidence map; undefined when it is not done or belongs to an older map. */
  async confidencePart(id: string, revision: number, x: number, y: number): Promise<Uint8Array | undefined> {
    const confidence = this.#sessions.get(id)?.confidence
    const part = confidence?.revision === revision ? confidence.parts.get(keyOf({ x, y })) : undefined
    return part && encodeGrey(part.values, part.columns)
  }

  /** How much structure went with the noise. Errors: SESSION_NOT_FOUND, JOB_STATE while no preview is finished. */
  structure(id: string): Promise<StructureLoss> {
    const { picture, estimate, preview } = this.#get(id)
    if (!preview?.finished) throw new LucidexError('JOB_STATE', 'The preview is not finished yet')
    preview.structure ??= measureStructureLoss(picture, preview.target, estimate).then((found) => ({
      ...found,
      limit: STRUCTURE_LIMIT,
    }))
    return preview.structure
  }

  /** The upright original for the screen, 8-bit sRGB, at full size or at most so large. Errors: SESSION_NOT_FOUND and those of reading a picture. */
  original(id: string, maxPx?: number): Promise<Uint8Array> {
    const session = this.#get(id)
    if (maxPx !== undefined) return this.#decoder.readView(session.path, maxPx)
    session.original ??= this.#decoder.readView(session.path)
    return session.original
  }

  /** A preview's tile for the screen; undefined when it is not done or belongs to an older preview. */
  async tile(id: string, revision: number, x: number, y: number): Promise<Uint8Array | undefined> {
    const session = this.#sessions.get(id)
    const preview = session?.preview
    const tile = preview?.revision === revision ? preview.tiles.get(keyOf({ x, y })) : undefined
    if (!session || !preview || !tile) return undefined
    return encodeTile({ ...session.picture, buffer: preview.target }, tile)
  }

  /** The same of what is shown first. */
  async lookTile(id: string, revision: number, x: number, y: number): Promise<Uint8Array | undefined> {
    const preview = this.#sessions.get(id)?.preview
    const tile = preview?.revision === revision ? preview.lookTiles.get(keyOf({ x, y })) : undefined
    return tile && preview?.look && encodeTile(preview.look, tile)
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

/** Parts of an area, the middle one first; they begin at whole cells and stay in the picture. */
function partsOf(area: Rect, picture: Picture): Rect[] {
  const down = (value: number) => Math.floor(value / CONFIDENCE_CELL) * CONFIDENCE_CELL
  const [x, y] = [down(Math.min(area.x, picture.width - 1)), down(Math.min(area.y, picture.height - 1))]
  const [right, bottom] = [Math.min(area.x + area.width, picture.width), Math.min(area.y + area.height, picture.height)]
  const parts: Rect[] = []
  for (let top = y; top < bottom; top += PART) {
    for (let left = x; left < right; left += PART) {
      parts.push({ x: left, y: top, width: Math.min(PART, right - left), height: Math.min(PART, bottom - top) })
    }
  }
  return parts.sort(outwardFrom({ x: (x + right) / 2, y: (y + bottom) / 2 }))
}

function middleOf({ x = 0, y = 0, width, height }: Partial<Rect> & Pick<Rect, 'width' | 'height'>): { x: number; y: number } {
  return { x: x + width / 2, y: y + height / 2 }
}

function keyOf({ x, y }: Pick<Rect, 'x' | 'y'>): string {
  return `${x}/${y}`
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/** σ at a pixel, of the cell it lies in. */
function levelAt(level: NoiseLevel, x: number, y: number): number {
  if (typeof level === 'number') return level
  const { sigma, columns, cell } = level
  return sigma[Math.floor(y / cell) * columns + Math.floor(x / cell)]!
}
