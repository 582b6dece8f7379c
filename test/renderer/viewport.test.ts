import { describe, expect, it } from 'vitest'
import { centreOf, fitView, MAX_SCALE, pan, zoomTo } from '../../renderer/src/features/denoise/viewport.ts'

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

  it('names the middle of what is looked at in picture pixels', () => {
    const centre = centreOf(fitView(picture, window), picture, window)
    expect(centre.x).toBeCloseTo(3000, 6)
    expect(centre.y).toBeCloseTo(2000, 6)
    const corner = centreOf({ scale: 1, x: 900, y: 900 }, picture, window)
    expect(corner).toEqual({ x: 0, y: 0 })
  })
})
