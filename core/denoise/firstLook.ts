import type { JobSpec, PixelRect } from '../contract/index.ts'
import { shrinkSamples } from '../images/index.ts'
import type { Picture } from '../images/types.ts'
import type { Rect, Tile } from '../inference/index.ts'
import type { NoiseEstimate } from './estimate.ts'

type View = NonNullable<Extract<JobSpec, { kind: 'denoise-preview' }>['view']>
type Size = Pick<Rect, 'width' | 'height'>

/** What is on the screen is denoised first, unless that spares less than a third of the work of the tiles it lies in. */
const WORTH = 0.67

/**
 * "The first look": what is on the screen, denoised by itself before the picture's own tiles are, most of which lie
 * elsewhere or are larger than what is seen of them. Where the picture is shown smaller, it is the visible part made
 * smaller; else it is the picture itself, and only its tiles are others.
 */
export interface Look {
  /** What is denoised: the picture's `area` at 1/`scale` of its size, both in pixels. */
  size: Size
  area: PixelRect
  /** Picture pixels for each of its own, 1 or more. */
  scale: number
  /** What is seen of it. */
  part: PixelRect
}

/** What to show first of a picture of which this is on the screen. */
export function lookAt({ width, height }: Size, view: View): Look {
  const scale = Math.max(1, Math.round(1 / view.scale))
  const x = Math.min(view.x, width - 1)
  const y = Math.min(view.y, height - 1)
  const seen = { x, y, width: Math.min(view.width, width - x), height: Math.min(view.height, height - y) }
  if (scale === 1) return { size: { width, height }, area: { x: 0, y: 0, width, height }, scale, part: seen }
  const size = { width: Math.ceil(seen.width / scale), height: Math.ceil(seen.height / scale) }
  return { size, area: seen, scale, part: { x: 0, y: 0, ...size } }
}

/** Screen pixels that a view fits the whole picture into, by making it smaller; none for other views. */
export function fittedBox({ width, height }: Size, { scale, area }: Look, view: View): Size | undefined {
  const isWhole = area.width === width && area.height === height
  return isWhole && scale > 1 ? { width: view.width * view.scale, height: view.height * view.scale } : undefined
}

/** The look at a whole picture that is fitted into so many screen pixels; none where it is not made smaller. */
export function fittedLook(picture: Size, box: Size): Look | undefined {
  const { width, height } = picture
  const look = lookAt(picture, { x: 0, y: 0, width, height, scale: Math.min(box.width / width, box.height / height) })
  return look.scale > 1 ? look : undefined
}

/** Whether these tiles show the view so much sooner than those do. */
export function isWorth(tiles: readonly Tile[], instead: readonly Tile[]): boolean {
  const work = (all: readonly Tile[]) => all.reduce((sum, { window }) => sum + window.width * window.height, 0)
  return work(tiles) < WORTH * work(instead)
}

/** A picture made smaller for a look, and its noise. Both are made once; whoever waits for them meets their failure, and nobody before. */
export class ReducedPicture {
  readonly #look: Look
  readonly #estimate: (picture: Picture) => Promise<NoiseEstimate>
  #noise: Promise<NoiseEstimate> | undefined
  /** Shrinking averages: of white noise only 1/scale is left. */
  readonly picture: Promise<Picture>

  constructor(picture: Picture, look: Look, estimate: (picture: Picture) => Promise<NoiseEstimate>) {
    this.#look = look
    this.#estimate = estimate
    this.picture = waitedForLater(shrinkSamples(picture, look.area, look.size))
  }

  isFor({ scale, area }: Look): boolean {
    const own = this.#look
    const { x, y, width, height } = own.area
    return scale === own.scale && area.x === x && area.y === y && area.width === width && area.height === height
  }

  noise(): Promise<NoiseEstimate> {
    this.#noise ??= waitedForLater(this.picture.then(this.#estimate))
    return this.#noise
  }
}

function waitedForLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** What a tile of the look covers of the picture. */
export function coveredBy(tile: Rect, { size, area }: Look): PixelRect {
  const x = (at: number) => area.x + Math.round((at * area.width) / size.width)
  const y = (at: number) => area.y + Math.round((at * area.height) / size.height)
  return {
    x: x(tile.x),
    y: y(tile.y),
    width: x(tile.x + tile.width) - x(tile.x),
    height: y(tile.y + tile.height) - y(tile.y),
  }
}
