import type { JobSpec, PixelRect } from '../contract/index.ts'
import { shrinkSamples } from '../images/index.ts'
import type { Picture } from '../images/types.ts'
import type { Rect } from '../inference/index.ts'

type View = NonNullable<Extract<JobSpec, { kind: 'denoise-preview' }>['view']>

/** A part of a picture made smaller, to be denoised for the screen before the picture itself is. */
export interface Look {
  picture: Picture
  /** The part that it shows, in picture pixels. */
  area: PixelRect
  /** Picture pixels for each of its own. */
  scale: number
}

/**
 * The visible part at about the screen's size; undefined where that is not much smaller than it is. Shrinking
 * averages: of white noise only 1/scale is left.
 */
export async function lookAt(picture: Picture, view: View | undefined): Promise<Look | undefined> {
  const scale = view ? Math.round(1 / view.scale) : 1
  if (!view || scale < 2) return undefined
  const x = Math.min(view.x, picture.width - 1)
  const y = Math.min(view.y, picture.height - 1)
  const area = { x, y, width: Math.min(view.width, picture.width - x), height: Math.min(view.height, picture.height - y) }
  const size = { width: Math.ceil(area.width / scale), height: Math.ceil(area.height / scale) }
  return { picture: await shrinkSamples(picture, area, size), area, scale }
}

/** What a tile of the look covers of the picture. */
export function coveredBy(tile: Rect, { picture, area }: Look): PixelRect {
  const x = (at: number) => area.x + Math.round((at * area.width) / picture.width)
  const y = (at: number) => area.y + Math.round((at * area.height) / picture.height)
  return {
    x: x(tile.x),
    y: y(tile.y),
    width: x(tile.x + tile.width) - x(tile.x),
    height: y(tile.y + tile.height) - y(tile.y),
  }
}
