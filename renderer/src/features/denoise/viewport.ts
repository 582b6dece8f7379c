import type { PixelRect } from '$contract'

/**
 * Zoom and pan: where a picture lies in a window. All lengths are device pixels, so that a scale of 1
 * is one picture pixel on one pixel of the screen; `x` and `y` are the picture's corner in the window.
 */
export interface View {
  scale: number
  x: number
  y: number
}

export interface Size {
  width: number
  height: number
}

export const MAX_SCALE = 16
/** Small pictures are enlarged this far at most to fill the window. */
const MAX_FIT_SCALE = 4
/** Over this scale single pixels are looked at, and are drawn as squares. */
export const PIXELATED_SCALE = 2

function fitScale(picture: Size, window: Size, margin = 0): number {
  const width = Math.max(1, window.width - 2 * margin)
  const height = Math.max(1, window.height - 2 * margin)
  return Math.min(MAX_FIT_SCALE, width / picture.width, height / picture.height)
}

export function fitView(picture: Size, window: Size, margin = 0): View {
  const scale = fitScale(picture, window, margin)
  return { scale, x: (window.width - picture.width * scale) / 2, y: (window.height - picture.height * scale) / 2 }
}

/** Scales about a point of the window, which stays over the same point of the picture. */
export function zoomTo(view: View, scale: number, at: { x: number; y: number }, picture: Size, window: Size): View {
  const smallest = Math.min(1, fitScale(picture, window)) / 2
  const next = Math.min(MAX_SCALE, Math.max(smallest, scale))
  const ratio = next / view.scale
  return settle({ scale: next, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio }, picture, window)
}

export function pan(view: View, dx: number, dy: number, picture: Size, window: Size): View {
  return settle({ ...view, x: view.x + dx, y: view.y + dy }, picture, window)
}

/** Centres what is smaller than the window; of what is larger, at most half the window may be left empty. */
export function settle(view: View, picture: Size, window: Size): View {
  return {
    scale: view.scale,
    x: settleAxis(view.x, picture.width * view.scale, window.width),
    y: settleAxis(view.y, picture.height * view.scale, window.height),
  }
}

/** The view with its corner on a whole pixel. */
export function onPixels({ scale, x, y }: View): View {
  return { scale, x: Math.round(x), y: Math.round(y) }
}

function settleAxis(position: number, length: number, window: number): number {
  if (length <= window) return (window - length) / 2
  return Math.min(window / 2, Math.max(window / 2 - length, position))
}

/** The part of the picture that the window shows, on whole picture pixels. Null when it shows none. */
export function visiblePart(view: View, picture: Size, window: Size): PixelRect | null {
  const x = Math.max(0, Math.floor(-view.x / view.scale))
  const y = Math.max(0, Math.floor(-view.y / view.scale))
  const width = Math.min(picture.width, Math.ceil((window.width - view.x) / view.scale)) - x
  const height = Math.min(picture.height, Math.ceil((window.height - view.y) / view.scale)) - y
  return width > 0 && height > 0 ? { x, y, width, height } : null
}

/** Shows a part of the picture as large as the window allows, in its middle. */
export function viewOf(part: PixelRect, picture: Size, window: Size): View {
  const scale = Math.min(1, window.width / part.width, window.height / part.height)
  const x = window.width / 2 - (part.x + part.width / 2) * scale
  const y = window.height / 2 - (part.y + part.height / 2) * scale
  return settle({ scale, x, y }, picture, window)
}

/** Draws the visible part of a picture that `image` holds with `own` pixels for each of the picture's. */
export function drawPart(
  target: CanvasRenderingContext2D,
  image: CanvasImageSource,
  own: number,
  picture: Size,
  view: View,
  window: Size,
): void {
  const part = visiblePart(view, picture, window)
  if (!part) return
  const { x, y, width, height } = part
  const { scale } = view
  target.drawImage(
    image,
    x * own,
    y * own,
    width * own,
    height * own,
    view.x + x * scale,
    view.y + y * scale,
    width * scale,
    height * scale,
  )
}
