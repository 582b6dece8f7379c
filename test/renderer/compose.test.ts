import { describe, expect, it } from 'vitest'
import { mixWeights } from '$contract'
import { mix, showDifference, showRemoved } from '../../renderer/src/features/denoise/compose.ts'

const pixel = (...channels: number[]) => Uint8ClampedArray.from(channels)
const original = pixel(120, 90, 60, 255)
const denoised = pixel(110, 100, 60, 255)

function mixed(settings: { strength: number; texture: number }, after = denoised) {
  const out = new Uint8ClampedArray(4)
  mix(out, original, after, mixWeights(settings))
  return out
}

describe('what the window shows', () => {
  it('is the original at strength 0, whatever the texture, and the denoised at 100', () => {
    expect(mixed({ strength: 0, texture: 100 })).toEqual(original)
    expect(mixed({ strength: 100, texture: 0 })).toEqual(denoised)
    expect([...mixed({ strength: 50, texture: 0 })]).toEqual([115, 95, 60, 255])
  })

  it('puts luma back with texture recovery, and leaves colour noise away', () => {
    // Removed: 10, -10, 0, whose luma (BT.709) is 10 · 0.2126 − 10 · 0.7152 = −5.026.
    expect([...mixed({ strength: 100, texture: 100 })]).toEqual([105, 95, 55, 255])
  })

  it('is the original where nothing is denoised yet', () => {
    expect(mixed({ strength: 100, texture: 0 }, pixel(0, 0, 0, 0))).toEqual(original)
  })

  it('shows what was removed about mid-grey, and how much changed on black', () => {
    const removed = mixed({ strength: 100, texture: 0 })
    showRemoved(removed, original, denoised, 4)
    expect([...removed]).toEqual([168, 88, 128, 255])
    const difference = mixed({ strength: 100, texture: 0 })
    showDifference(difference, original, denoised, 4)
    expect([...difference]).toEqual([40, 40, 0, 255])
  })

  it('shows nothing of what was removed where nothing is denoised yet', () => {
    const nothing = pixel(0, 0, 0, 0)
    const removed = mixed({ strength: 100, texture: 0 }, nothing)
    showRemoved(removed, original, nothing, 4)
    expect(removed[3]).toBe(0)
  })
})
