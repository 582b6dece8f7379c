import {
  mediaPath,
  mixWeights,
  VIEW_PX,
  type DenoiseConfidence,
  type DenoiseSession,
  type DenoiseSettings,
  type DenoiseTile,
  type Destination,
  type OutputSettings,
  type PixelRect,
  type Source,
  type StructureLoss,
  type Tier,
} from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain, sentence } from '../../engine/messages.ts'
import { download } from '../../ui/download.ts'
import { toasts } from '../../ui/toasts.svelte.ts'
import { isSettled, jobs } from '../jobs/jobs.svelte.ts'
import { ConfidenceMap } from './confidenceMap.ts'
import { History } from './history.svelte.ts'
import { loadBitmap, PictureLayer } from './pictureLayer.ts'

/** While a slider moves, the preview waits for it to rest. */
const REST_MS = 280
/** A picture that was just opened waits only for the viewer to say what it shows of it. */
const FIRST_LOOK_MS = 40

export type NoiseMode = 'auto' | 'manual'

/** What a person sets for a picture, and can take back. Nothing of it is written anywhere until the export. */
export interface Edit extends Record<string, unknown> {
  tier: Tier
  noise: NoiseMode
  /** σ for `manual`, 8-bit units. */
  sigma: number
  /** 0..100, contract/mix.ts. */
  strength: number
  texture: number
}

/** What is on the screen: a part of the picture, and screen pixels for each of its pixels. */
export interface Shown {
  part: PixelRect
  scale: number
}

/** The picture in the denoise view, its preview and its settings. */
export class DenoiseState {
  session = $state.raw<DenoiseSession | null>(null)
  source = $state.raw<Source | null>(null)
  opening = $state(false)
  error = $state.raw<unknown>(null)

  tier = $state<Tier>('best')
  noise = $state<NoiseMode>('auto')
  sigma = $state(15)
  /** Only drawing: these two never ask the engine. */
  strength = $state(100)
  texture = $state(0)
  readonly history = new History<Edit>()

  original = $state.raw<PictureLayer | null>(null)
  result = $state.raw<PictureLayer | null>(null)
  /** Grows when a layer changed and is to be drawn again. */
  drawn = $state(0)

  previewJobId = $state<number | null>(null)
  previewError = $state.raw<unknown>(null)
  /** What the finished preview took of the picture's structure; null until it is known. */
  structure = $state.raw<StructureLoss | null>(null)
  /** Set by the viewer. */
  shown = $state.raw<Shown | undefined>()

  confidence = $state.raw<ConfidenceMap | null>(null)
  confidenceJobId = $state<number | null>(null)
  confidenceError = $state.raw<unknown>(null)

  output = $state<OutputSettings>({ format: 'keep', bitDepth: 'keep', quality: 92, collision: 'rename' })
  exporting = $state(false)
  /** The last file written from this picture. */
  exported = $state.raw<string | null>(null)

  /** Tiles of an older preview are stale. */
  #revision = 0
  /** The full-size tiles that are drawn, by place. */
  #tiles = new Map<string, PixelRect>()
  /** The current preview goes on with these; any other begins anew. */
  #goingOn = false
  /** The last tile that could not be fetched. */
  #lostTile: { revision: number; error: unknown } | null = null
  /** Ends the fetching of tiles that became stale: the engine forgets them. */
  #fetching = new AbortController()
  #rest: ReturnType<typeof setTimeout> | undefined
  /** Only the last picture opened and the last preview started count. */
  #opened = 0
  #previews = 0
  /** What the map was asked for, and for which part. */
  #confidenceOf: { key: string; part: PixelRect } | null = null

  begin(): void {
    engine.on('denoiseTile', (tile) => void this.#take(tile))
    engine.on('denoiseConfidence', (part) => void this.#takeConfidence(part))
    // Sessions end with the engine: what was open is opened again.
    engine.onReady(() => {
      if (this.source && (this.session || this.error)) void this.open(this.source)
    })
  }

  get itemId(): number | null {
    return this.source?.kind === 'item' ? this.source.id : null
  }

  /** Nothing to remove, and nobody insists. */
  get leftAlone(): boolean {
    return this.session !== null && this.session.clean && this.noise === 'auto'
  }

  /** Where an export can go beside the original: an uploaded picture has no place on the disk. */
  get hasPlace(): boolean {
    return this.source !== null && this.source.kind !== 'query'
  }

  get edit(): Edit {
    const { tier, noise, sigma, strength, texture } = this
    return { tier, noise, sigma, strength, texture }
  }

  get weights() {
    return mixWeights(this)
  }

  /** Whether these settings take visible structure along (contract, `structureLoss`). */
  get eatsStructure(): boolean {
    const { structure, strength, texture } = this
    return structure !== null && structure.loss * (strength / 100) * (1 - texture / 100) > structure.limit
  }

  /** The strength at which structure is just kept, with the texture recovery that is set. */
  get keepingStrength(): number {
    const { structure, texture } = this
    const full = structure ? structure.loss * (1 - texture / 100) : 0
    return structure && full > structure.limit ? Math.floor((100 * structure.limit) / full) : 100
  }

  async open(source: Source): Promise<void> {
    const turn = ++this.#opened
    this.#close()
    this.source = source
    this.opening = true
    this.error = null
    try {
      const session = await engine.api.denoise.open({ source })
      if (turn !== this.#opened) return
      this.original = new PictureLayer(session)
      this.result = new PictureLayer(session)
      this.session = session
      this.#apply(this.#firstEdit(session))
      this.history.start(this.edit)
      this.#schedule(FIRST_LOOK_MS)
      await this.#loadOriginal(session, this.original)
    } catch (error) {
      if (turn === this.#opened) this.error = error
    } finally {
      if (turn === this.#opened) this.opening = false
    }
  }

  async #loadOriginal(session: DenoiseSession, layer: PictureLayer): Promise<void> {
    const isLarge = Math.max(session.width, session.height) > VIEW_PX
    // A picture as large as a screen is there long before all of it is.
    for (const url of isLarge ? [mediaPath.original(session.id, VIEW_PX), session.originalUrl] : [session.originalUrl]) {
      const image = await loadBitmap(url)
      if (this.original === layer) await layer.fill(image)
      image.close()
      this.drawn += 1
    }
  }

  #firstEdit(session: DenoiseSession): Edit {
    const sigma = Math.min(75, Math.max(1, Math.round(session.sigma)))
    return { tier: this.tier, noise: 'auto', sigma, strength: 100, texture: 0 }
  }

  /** Starts the preview anew, once the settings rest. */
  restart(): void {
    this.#schedule(REST_MS)
  }

  /** Ends a step of editing: from here it can be taken back. */
  record(): void {
    this.history.record(this.edit)
  }

  undo(): void {
    const step = this.history.undo()
    if (step) this.#apply(step)
  }

  redo(): void {
    const step = this.history.redo()
    if (step) this.#apply(step)
  }

  /** Back to the settings that the picture was opened with; this too can be taken back. */
  reset(): void {
    if (!this.session) return
    this.#apply(this.#firstEdit(this.session))
    this.record()
  }

  #apply(edit: Edit): void {
    const before = this.edit
    Object.assign(this, edit)
    if (before.tier !== edit.tier || before.noise !== edit.noise || (edit.noise === 'manual' && before.sigma !== edit.sigma)) this.restart()
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => void this.#preview(), delayMs)
  }

  async #preview(goingOn = false): Promise<void> {
    const { session, tier } = this
    const turn = ++this.#previews
    this.previewError = null
    if (!goingOn) {
      this.#tiles.clear()
      this.structure = null
      this.dropConfidence()
    }
    await this.#cancelPreview()
    this.#goingOn = goingOn
    if (!session || turn !== this.#previews) return
    if (this.leftAlone) {
      this.result = new PictureLayer(session)
      this.drawn += 1
      return
    }
    try {
      const { shown } = this
      const { jobId } = await jobs.start({
        kind: 'denoise-preview',
        sessionId: session.id,
        tier,
        sigma: this.#sigmaAsked,
        ...(shown && { focus: middleOf(shown.part), view: { ...shown.part, scale: shown.scale } }),
      })
      // Settings changed again before the engine had answered.
      if (turn !== this.#previews) return void engine.api.jobs.cancel({ jobId }).catch(() => {})
      this.previewJobId = jobId
      void this.#finish(session.id, jobId)
    } catch (error) {
      if (turn === this.#previews) this.previewError = error
    }
  }

  async #finish(sessionId: string, jobId: number): Promise<void> {
    const job = await jobs.settled(jobId)
    if (job.state !== 'done' || jobId !== this.previewJobId) return
    if (this.#lostTile?.revision === this.#revision) this.previewError = this.#lostTile.error
    // Without an answer there is no warning; the preview is there all the same.
    const structure = await engine.api.denoise.structure({ sessionId }).catch(() => null)
    if (jobId === this.previewJobId) this.structure = structure
  }

  get #sigmaAsked(): DenoiseSettings['sigma'] {
    return this.noise === 'auto' ? 'auto' : this.sigma
  }

  async #take(tile: DenoiseTile): Promise<void> {
    if (tile.sessionId !== this.session?.id || tile.revision < this.#revision) return
    if (tile.revision > this.#revision && !this.#goingOn) this.#tiles.clear()
    this.#revision = tile.revision
    const place = `${tile.x} ${tile.y}`
    const isFull = tile.scale === undefined
    if (isFull && this.#tiles.has(place)) return
    const { result } = this
    try {
      const image = await loadBitmap(tile.url, this.#fetching.signal)
      if (tile.revision === this.#revision && result === this.result) {
        result?.put(image, tile, isFull ? {} : { except: this.#tiles.values() })
        if (isFull) this.#tiles.set(place, tile)
        this.drawn += 1
      }
      image.close()
    } catch (error) {
      // The engine forgets the tiles of an older preview: whether this was one shows later.
      this.#lostTile = { revision: tile.revision, error }
    }
  }

  /** Turns the running preview to what is looked at now, unless that is done. The engine keeps what it has. */
  aim(): void {
    const { shown, previewJobId } = this
    const job = jobs.find(previewJobId)
    if (!shown || !job || isSettled(job) || this.#tiles.size === 0 || this.#isDone(shown.part)) return
    void this.#preview(true)
  }

  /** Tiles do not overlap: what they cover of a part adds up. */
  #isDone(part: PixelRect): boolean {
    let covered = 0
    for (const tile of this.#tiles.values()) covered += overlapOf(tile, part)
    return covered >= part.width * part.height
  }

  /** Asks for the confidence of what is on the screen, unless it is known or on its way. Runs the network several times, so only on demand. */
  async wantConfidence(): Promise<void> {
    const { session, shown, tier } = this
    if (!session || !shown || this.leftAlone) return
    const sigma = this.#sigmaAsked
    const key = `${session.id} ${tier} ${sigma}`
    const known = this.#confidenceOf
    if (known?.key === key && contains(known.part, shown.part)) return
    if (known?.key !== key || !this.confidence) this.confidence = new ConfidenceMap(session)
    const asked = { key, part: shown.part }
    this.#confidenceOf = asked
    this.confidenceError = null
    try {
      const { jobId } = await jobs.start({ kind: 'denoise-confidence', sessionId: session.id, tier, sigma, area: shown.part })
      if (this.#confidenceOf === asked) this.confidenceJobId = jobId
      else void engine.api.jobs.cancel({ jobId }).catch(() => {})
    } catch (error) {
      if (this.#confidenceOf !== asked) return
      this.#confidenceOf = null
      this.confidenceError = error
    }
  }

  /** Stops computing what nobody looks at; what is there stays until the settings change. */
  pauseConfidence(): void {
    const job = jobs.find(this.confidenceJobId)
    if (this.confidenceJobId === null || (job && isSettled(job))) return
    void engine.api.jobs.cancel({ jobId: this.confidenceJobId }).catch(() => {})
    this.confidenceJobId = null
    this.#confidenceOf = null
  }

  dropConfidence(): void {
    this.pauseConfidence()
    this.confidence = null
    this.#confidenceOf = null
    this.confidenceError = null
  }

  async #takeConfidence(part: DenoiseConfidence): Promise<void> {
    const map = this.confidence
    if (!map || part.sessionId !== this.session?.id) return
    try {
      const image = await loadBitmap(part.url)
      if (map === this.confidence) {
        map.put(image, part.x, part.y)
        map.calibrated &&= part.calibrated
        this.drawn += 1
      }
      image.close()
    } catch {
      // The map was replaced while its part was fetched.
    }
  }

  #close(): void {
    clearTimeout(this.#rest)
    this.#previews += 1
    const { session } = this
    void this.#cancelPreview()
    this.dropConfidence()
    if (session) void engine.api.denoise.close({ sessionId: session.id }).catch(() => {})
    this.session = null
    this.original = null
    this.result = null
    this.structure = null
    this.previewError = null
    this.exported = null
    this.shown = undefined
    this.#revision = 0
    this.#lostTile = null
    this.#tiles.clear()
  }

  /** Whether it ended meanwhile does not matter. */
  async #cancelPreview(): Promise<void> {
    const jobId = this.previewJobId
    this.previewJobId = null
    if (jobId !== null) this.#revision += 1
    this.#fetching.abort()
    this.#fetching = new AbortController()
    const job = jobs.find(jobId)
    if (jobId !== null && !(job && isSettled(job))) await engine.api.jobs.cancel({ jobId }).catch(() => {})
  }

  /** Writes the picture with the settings of the view and tells how it went. */
  async export(destination: Destination): Promise<void> {
    const { source, session } = this
    if (!source || !session) return
    this.exporting = true
    try {
      const { jobId } = await jobs.start({
        kind: 'denoise',
        sources: [source],
        settings: { tier: this.tier, sigma: this.#sigmaAsked, strength: this.strength, texture: this.texture },
        output: $state.snapshot(this.output),
        destination,
      })
      const job = await jobs.settled(jobId)
      // Interrupted, it waits in the tray to be resumed.
      if (job.state === 'cancelled' || job.state === 'interrupted') return
      const { denoise: results } = await engine.api.jobs.report({ jobId })
      const result = results?.[0]
      const error = result?.error ?? job.error
      if (!result || error) return toasts.fail(`Could not export ${session.name}`, error ? sentence(error) : undefined)
      if (result.url) download(result.url)
      else if (session === this.session) this.exported = result.output
      toasts.show({
        tone: 'good',
        title:
          result.status === 'skipped' ? `${session.name} was there already` : `${session.name} exported in ${result.seconds.toFixed(1)} s`,
        text: [result.url ? undefined : result.output, ...result.notes].filter(Boolean).join(' · ') || undefined,
      })
      void engine.api.jobs.dismiss({ jobId }).catch(() => {})
    } catch (error) {
      toasts.fail(`Could not export ${session.name}`, explain(error))
    } finally {
      this.exporting = false
    }
  }
}

function middleOf({ x, y, width, height }: PixelRect): { x: number; y: number } {
  return { x: x + width / 2, y: y + height / 2 }
}

/** The area that two rectangles share, in pixels. */
function overlapOf(a: PixelRect, b: PixelRect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return Math.max(0, width) * Math.max(0, height)
}

function contains(outer: PixelRect, inner: PixelRect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  )
}

export const denoise = new DenoiseState()
