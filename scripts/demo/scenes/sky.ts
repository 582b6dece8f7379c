import type { Random } from '../../../core/random.ts'
import { between, blend, clamp, hex, mix, pick, smoothstep, type Colour, type Noise } from '../paint.ts'

export interface SkyPalette {
  top: Colour
  horizon: Colour
  sun: Colour
  cloud: Colour
  /** What distance fades into. */
  haze: Colour
  /** How bright the land is under this sky. */
  light: number
}

const palette = (top: string, horizon: string, sun: string, cloud: string, haze: string, light: number): SkyPalette => ({
  top: hex(top),
  horizon: hex(horizon),
  sun: hex(sun),
  cloud: hex(cloud),
  haze: hex(haze),
  light,
})

export const SKIES = {
  noon: palette('#2f6fb5', '#b9d8ee', '#fffbe8', '#ffffff', '#b4cfe2', 1),
  morning: palette('#6f9fcb', '#fbe3c0', '#fff3cf', '#fff6ea', '#e3d9cf', 0.95),
  dawn: palette('#3b4a7d', '#f6a77b', '#ffe0a8', '#f9b59b', '#c98f93', 0.75),
  dusk: palette('#2b2d5e', '#e8705a', '#ffc27a', '#c65f78', '#8a5a7a', 0.6),
  golden: palette('#5f8bb3', '#ffd08a', '#fff1b8', '#ffdca8', '#e6b98a', 0.9),
  overcast: palette('#8a97a5', '#d3d9dd', '#f2f2ee', '#eef1f3', '#c3cbd1', 0.8),
  storm: palette('#2f3a45', '#8f9aa0', '#cfd4d2', '#5c6871', '#78858c', 0.55),
} satisfies Record<string, SkyPalette>

export interface Sky {
  palette: SkyPalette
  sunX: number
  sunY: number
  at(x: number, y: number): Colour
}

/** A sky down to `horizon` with a sun and clouds. */
export function makeSky(random: Random, noise: Noise, aspect: number, horizon: number, palettes: readonly SkyPalette[]): Sky {
  const palette = pick(random, palettes)
  const sunX = between(random, 0.15, 0.85) * aspect
  const sunY = horizon * between(random, 0.2, 0.9)
  const sunRadius = between(random, 0.018, 0.05)
  const cover = between(random, -0.35, 0.35)
  const stretch = between(random, 1, 3)
  const shift = between(random, 0, 200)

  return {
    palette,
    sunX,
    sunY,
    at(x, y) {
      const height = clamp(y / horizon)
      let colour = blend(palette.top, palette.horizon, height ** 1.6)
      const distance = Math.hypot(x - sunX, y - sunY)
      colour = blend(colour, palette.sun, 0.75 * Math.exp(-distance * 5) + smoothstep(sunRadius * 1.1, sunRadius * 0.8, distance))
      // Clouds flatten towards the horizon.
      const depth = 1 / (1.15 - height)
      const density = noise.fbm(x * Math.sqrt(depth) * 1.6 + shift, depth * stretch + shift, 5)
      const amount = smoothstep(0, 0.75, density + cover) * mix(0.9, 0.45, height)
      const lit = 0.82 + 0.25 * noise.at(x * 3 + shift, y * 9) + 0.25 * Math.exp(-distance * 3)
      return blend(colour, [palette.cloud[0] * lit, palette.cloud[1] * lit, palette.cloud[2] * lit], amount)
    },
  }
}
