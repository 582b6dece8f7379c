import type { JobSpec, PixelRect } from '../contract/index.ts'
import { shrinkSamples } from '../images/index.ts'
import type { Picture } from '../images/types.ts'
import type { Rect, Tile } from '../inference/index.ts'

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

/** The look at a whole picture that is fitted into so many screen pixels; none where it is not shown smaller. */
export function fittedLook(picture: Size, box: Size): Look | undefined {
  const { width, height } = picture
  const look = lookAt(picture, { x: 0, y: 0, width, height, scale: Math.min(box.width / width, box.height / height) })
  return look.scale === 1 ? undefined : look
}

export function isSameLook(a: Look, b: Look): boolean {
  const same = (one: Rect, other: Rect) =>
    one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height
  return a.scale === b.scale && same(a.area, b.area) && same(a.part, b.part)
}

/** Whether these tiles show the view so much sooner than those do. */
export function isWorth(tiles: readonly Tile[], instead: readonly Tile[]): boolean {
  const work = (all: readonly Tile[]) => all.reduce((sum, { window }) => sum + window.width * window.height, 0)
  return work(tiles) < WORTH * work(instead)
}

/** What is denoised for a look. Shrinking averages: of white noise only 1/scale is left. */
export async function pictureOf(picture: Picture, { scale, area, size }: Look): Promise<Picture> {
  return scale === 1 ? picture : shrinkSamples(picture, area, size)
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
