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

function settleAxis(position: number, length: number, window: number): number {
  if (length <= window) return (window - length) / 2
  return Math.min(window / 2, Math.max(window / 2 - length, position))
}

/** The point of the picture in the middle of the window, in picture pixels, kept inside the picture. */
export function centreOf(view: View, picture: Size, window: Size): { x: number; y: number } {
  const x = (window.width / 2 - view.x) / view.scale
  const y = (window.height / 2 - view.y) / view.scale
  return { x: Math.min(picture.width, Math.max(0, x)), y: Math.min(picture.height, Math.max(0, y)) }
}
