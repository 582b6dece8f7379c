export interface Bounds {
  x: number
  y: number
  width: number
  height: number
}

/** How a window was left, as kept in window.json. */
export interface WindowState {
  bounds: Bounds
  maximized: boolean
}

export const MIN_WIDTH = 900
export const MIN_HEIGHT = 600
const DEFAULT_SIZE = { width: 1440, height: 900 }
/** So much of the title must be on a screen for a window to be dragged back: pixels. */
const GRIP = 80

/**
 * Where to open the window: as it was left, when a screen still shows enough of it to be moved, else
 * in the middle of the first screen. `workAreas` are the screens without their docks and task bars.
 */
export function windowBounds(left: WindowState | null, workAreas: readonly Bounds[]): Partial<Bounds> & { width: number; height: number } {
  const [first] = workAreas
  if (!left) return first ? fit(DEFAULT_SIZE, first) : DEFAULT_SIZE
  const { x, y } = left.bounds
  const home = workAreas.find(
    (area) => x + left.bounds.width >= area.x + GRIP && x <= area.x + area.width - GRIP && y >= area.y && y <= area.y + area.height - GRIP,
  )
  if (!home) return first ? fit(left.bounds, first) : fit(left.bounds, { x: 0, y: 0, ...DEFAULT_SIZE })
  return { x, y, ...fit(left.bounds, home) }
}

function fit({ width, height }: { width: number; height: number }, area: Bounds): { width: number; height: number } {
  return { width: Math.max(MIN_WIDTH, Math.min(width, area.width)), height: Math.max(MIN_HEIGHT, Math.min(height, area.height)) }
}

/** A window state from the text of window.json; null for anything else. */
export function parseWindowState(text: string): WindowState | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const { bounds, maximized } = (value ?? {}) as Partial<WindowState>
  const numbers = [bounds?.x, bounds?.y, bounds?.width, bounds?.height]
  if (!bounds || !numbers.every((number) => Number.isFinite(number))) return null
  return { bounds: { x: bounds.x, y: bounds.y, width: bounds.width, height: bounds.height }, maximized: maximized === true }
}
