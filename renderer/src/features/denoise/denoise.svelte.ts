import type { DenoiseSession, DenoiseTile, Destination, OutputSettings, Source, Tier } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain, sentence } from '../../engine/messages.ts'
import { toasts } from '../../ui/toasts.svelte.ts'
import { isSettled, jobs } from '../jobs/jobs.svelte.ts'
import { loadBitmap, PictureLayer } from './pictureLayer.ts'

/** While a slider moves, the preview waits for it to rest. */
const REST_MS = 280

export type NoiseMode = 'auto' | 'manual'

/** The picture in the denoise view, its preview and its settings. */
export class DenoiseState {
  session = $state.raw<DenoiseSession | null>(null)
  source = $state.raw<Source | null>(null)
  opening = $state(false)
  error = $state.raw<unknown>(null)

  tier = $state<Tier>('best')
  noise = $state<NoiseMode>('auto')
  sigma = $state(15)
  /** Share of the result mixed into the original, 0..100. Only drawing: never asks the engine. */
  strength = $state(100)

  original = $state.raw<PictureLayer | null>(null)
  result = $state.raw<PictureLayer | null>(null)
  /** Grows when a layer changed and is to be drawn again. */
  drawn = $state(0)

  previewJobId = $state<number | null>(null)
  previewError = $state.raw<unknown>(null)
  /** The middle of what is looked at, in picture pixels: its tiles come first. Set by the viewer. */
  focus: { x: number; y: number } | undefined

  output = $state<OutputSettings>({ format: 'keep', bitDepth: 'keep', quality: 92, collision: 'rename' })
  exporting = $state(false)

  /** Tiles of an older preview are stale. */
  #revision = 0
  /** Ends the fetching of tiles that became stale: the engine forgets them. */
  #fetching = new AbortController()
  #rest: ReturnType<typeof setTimeout> | undefined
  /** Only the last picture opened and the last preview started count. */
  #opened = 0
  #previews = 0

  begin(): void {
    engine.on('denoiseTile', (tile) => void this.#take(tile))
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

  async open(source: Source): Promise<void> {
    const turn = ++this.#opened
    this.#close()
    this.source = source
    this.opening = true
    this.error = null
    try {
      const session = await engine.api.denoise.open({ source })
      const image = await loadBitmap(session.originalUrl)
      if (turn !== this.#opened) return image.close()
      const original = new PictureLayer(session)
      await original.fill(image)
      image.close()
      if (turn !== this.#opened) return
      this.original = original
      this.result = new PictureLayer(session)
      this.session = session
      this.noise = 'auto'
      this.sigma = Math.min(75, Math.max(1, Math.round(session.sigma)))
      this.strength = 100
      this.drawn += 1
      this.restart()
    } catch (error) {
      if (turn === this.#opened) this.error = error
    } finally {
      if (turn === this.#opened) this.opening = false
    }
  }

  /** Starts the preview anew, once the settings rest. */
  restart(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => void this.#preview(), REST_MS)
  }

  async #preview(): Promise<void> {
    const { session, tier } = this
    const turn = ++this.#previews
    this.previewError = null
    await this.#cancelPreview()
    if (!session || turn !== this.#previews) return
    if (this.leftAlone) {
      this.result = new PictureLayer(session)
      this.drawn += 1
      return
    }
    try {
      const { jobId } = await jobs.start({
        kind: 'denoise-preview',
        sessionId: session.id,
        tier,
        sigma: this.noise === 'auto' ? 'auto' : this.sigma,
        ...(this.focus && { focus: this.focus }),
      })
      // Settings changed again before the engine had answered.
      if (turn !== this.#previews) await engine.api.jobs.cancel({ jobId }).catch(() => {})
      else this.previewJobId = jobId
    } catch (error) {
      if (turn === this.#previews) this.previewError = error
    }
  }

  async #take(tile: DenoiseTile): Promise<void> {
    if (tile.sessionId !== this.session?.id || tile.revision < this.#revision) return
    this.#revision = tile.revision
    const { result } = this
    try {
      const image = await loadBitmap(tile.url, this.#fetching.signal)
      if (tile.revision === this.#revision && result === this.result) {
        result?.put(image, tile.x, tile.y, tile.width, tile.height)
        this.drawn += 1
      }
      image.close()
    } catch (error) {
      // The fetching of a stale tile was ended.
      if (tile.revision === this.#revision && result === this.result) this.previewError = error
    }
  }

  #close(): void {
    clearTimeout(this.#rest)
    this.#previews += 1
    const { session } = this
    void this.#cancelPreview()
    if (session) void engine.api.denoise.close({ sessionId: session.id }).catch(() => {})
    this.session = null
    this.original = null
    this.result = null
    this.previewError = null
    this.#revision = 0
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
        settings: { tier: this.tier, sigma: this.noise === 'auto' ? 'auto' : this.sigma, strength: this.strength },
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

function download(url: string): void {
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = ''
  anchor.click()
}

export const denoise = new DenoiseState()
