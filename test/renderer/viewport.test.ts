import { describe, expect, it } from 'vitest'
import { fitView, MAX_SCALE, pan, viewOf, visiblePart, zoomTo } from '../../renderer/src/features/denoise/viewport.ts'

const picture = { width: 6000, height: 4000 }
const window = { width: 1000, height: 800 }

describe('the viewport', () => {
  it('fits the whole picture, centred', () => {
    const view = fitView(picture, window)
    expect(view.scale).toBeCloseTo(1 / 6)
    expect(view).toMatchObject({ x: 0 })
    expect(view.y).toBeCloseTo((800 - 4000 / 6) / 2)
  })

  it('keeps the point under the cursor while zooming in', () => {
    const before = zoomTo(fitView(picture, window), 0.5, { x: 500, y: 400 }, picture, window)
    const at = { x: 620, y: 310 }
    const point = { x: (at.x - before.x) / before.scale, y: (at.y - before.y) / before.scale }
    const after = zoomTo(before, 2, at, picture, window)
    expect(after.x + point.x * after.scale).toBeCloseTo(at.x, 6)
    expect(after.y + point.y * after.scale).toBeCloseTo(at.y, 6)
  })

  it('never zooms beyond its limits', () => {
    const view = fitView(picture, window)
    expect(zoomTo(view, 1e9, { x: 0, y: 0 }, picture, window).scale).toBe(MAX_SCALE)
    expect(zoomTo(view, 0, { x: 0, y: 0 }, picture, window).scale).toBeCloseTo(1 / 12)
  })

  it('cannot lose the picture by panning', () => {
    const view = zoomTo(fitView(picture, window), 1, { x: 500, y: 400 }, picture, window)
    for (const [dx, dy] of [
      [1e6, 1e6],
      [-1e6, -1e6],
    ] as const) {
      const { x, y } = pan(view, dx, dy, picture, window)
      expect(x).toBeLessThanOrEqual(500)
      expect(x + 6000).toBeGreaterThanOrEqual(500)
      expect(y).toBeLessThanOrEqual(400)
      expect(y + 4000).toBeGreaterThanOrEqual(400)
    }
  })

  it('tells which part of the picture is seen, on whole pixels of it', () => {
    expect(visiblePart(fitView(picture, window), picture, window)).toEqual({ x: 0, y: 0, width: 6000, height: 4000 })
    expect(visiblePart({ scale: 2, x: -101, y: -200 }, picture, window)).toEqual({ x: 50, y: 100, width: 501, height: 400 })
    expect(visiblePart({ scale: 1, x: 1200, y: 0 }, picture, window)).toBeNull()
  })

  it('brings a part into the middle, no larger than its pixels', () => {
    const small = viewOf({ x: 3000, y: 2000, width: 100, height: 50 }, picture, window)
    expect(small).toEqual({ scale: 1, x: 500 - 3050, y: 400 - 2025 })
    expect(viewOf({ x: 0, y: 0, width: 4000, height: 1000 }, picture, window).scale).toBe(0.25)
  })
})
