/** The little that painting by code needs: colours, noise, a canvas of floats. Values are sRGB-encoded, 0..1. */
import type { Random } from '../../core/random.ts'

export type Colour = readonly [number, number, number]

export function hex(text: string): Colour {
  const value = Number.parseInt(text.slice(1), 16)
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255]
}

export function css([r, g, b]: Colour, alpha = 1): string {
  const byte = (value: number) => Math.round(clamp(value) * 255)
  return `rgba(${byte(r)},${byte(g)},${byte(b)},${alpha.toFixed(3)})`
}

export function clamp(value: number, low = 0, high = 1): number {
  return value < low ? low : value > high ? high : value
}

export function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share
}

export function blend(a: Colour, b: Colour, share: number): Colour {
  const t = clamp(share)
  return [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/** Brighter (> 1) or darker (< 1). */
export function scale(colour: Colour, by: number): Colour {
  return [colour[0] * by, colour[1] * by, colour[2] * by]
}

export function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from))
  return t * t * (3 - 2 * t)
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.next()
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.integer(values.length)]!
}

/** Hue in turns, saturation and lightness 0..1. */
export function hsl(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number) => {
    const k = (offset + (((hue % 1) + 1) % 1) * 12) % 12
    return lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1))
  }
  return [channel(0), channel(8), channel(4)]
}

const TABLE = 256

/** Value noise on a lattice and the sums of it that make natural textures (power falling as 1/f). */
export class Noise {
  readonly #values = new Float32Array(TABLE * TABLE)

  constructor(random: Random) {
    for (let at = 0; at < this.#values.length; at++) this.#values[at] = 2 * random.next() - 1
  }

  /** Smooth noise with features of size 1, -1..1. */
  at(x: number, y: number): number {
    const cellX = Math.floor(x)
    const cellY = Math.floor(y)
    const fx = x - cellX
    const fy = y - cellY
    const sx = fx * fx * (3 - 2 * fx)
    const sy = fy * fy * (3 - 2 * fy)
    const column = cellX & (TABLE - 1)
    const next = (cellX + 1) & (TABLE - 1)
    const row = (cellY & (TABLE - 1)) * TABLE
    const below = ((cellY + 1) & (TABLE - 1)) * TABLE
    const values = this.#values
    const top = values[row + column]! + (values[row + next]! - values[row + column]!) * sx
    const bottom = values[below + column]! + (values[below + next]! - values[below + column]!) * sx
    return top + (bottom - top) * sy
  }

  /** Fractal sum, about -1..1. */
  fbm(x: number, y: number, octaves: number, gain = 0.5): number {
    let sum = 0
    let weight = 1
    let total = 0
    for (let octave = 0; octave < octaves; octave++) {
      sum += weight * this.at(x, y)
      total += weight
      weight *= gain
      // Not exactly 2, and shifted: the lattices of the octaves must not meet.
      x = x * 2.03 + 17.3
      y = y * 2.03 + 9.1
    }
    return (sum / total) * 1.6
  }

  /** Fractal sum of sharp crests, about 0..1. */
  ridged(x: number, y: number, octaves: number): number {
    let sum = 0
    let weight = 1
    let total = 0
    for (let octave = 0; octave < octaves; octave++) {
      sum += weight * (1 - Math.abs(this.at(x, y)) * 1.6)
      total += weight
      weight *= 0.5
      x = x * 2.03 + 17.3
      y = y * 2.03 + 9.1
    }
    return sum / total
  }
}

/** Interleaved RGB floats. Places on it are given in heights: y from 0 (top) to 1, x from 0 to `aspect`. */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly aspect: number
  readonly data: Float32Array

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.aspect = width / height
    this.data = new Float32Array(width * height * 3)
  }

  /** Sets every pixel. */
  fill(colourAt: (x: number, y: number, column: number, row: number) => Colour): void {
    let at = 0
    for (let row = 0; row < this.height; row++) {
      const y = (row + 0.5) / this.height
      for (let column = 0; column < this.width; column++, at += 3) {
        const colour = colourAt((column + 0.5) / this.height, y, column, row)
        this.data[at] = colour[0]
        this.data[at + 1] = colour[1]
        this.data[at + 2] = colour[2]
      }
    }
  }

  /** Mixes `colour` into a disc; `edge` is the share of the radius over which it fades, `add` makes it light instead of paint. */
  disc(x: number, y: number, radius: number, colour: Colour, options: { alpha?: number; edge?: number; add?: boolean } = {}): void {
    const { alpha = 1, edge = 0.1, add = false } = options
    this.#within(
      x - radius,
      y - radius,
      x + radius,
      y + radius,
      (px, py) => {
        const cover = alpha * (1 - smoothstep(1 - edge, 1, Math.hypot(px - x, py - y) / radius))
        return cover > 0 ? [colour, cover] : undefined
      },
      add,
    )
  }

  /** Mixes what `paintAt` answers (a colour and its opacity) into a box. */
  paint(
    left: number,
    top: number,
    right: number,
    bottom: number,
    paintAt: (x: number, y: number) => readonly [Colour, number] | undefined,
  ): void {
    this.#within(left, top, right, bottom, paintAt, false)
  }

  #within(
    left: number,
    top: number,
    right: number,
    bottom: number,
    paintAt: (x: number, y: number) => readonly [Colour, number] | undefined,
    add: boolean,
  ): void {
    const firstColumn = Math.max(0, Math.floor(left * this.height))
    const lastColumn = Math.min(this.width - 1, Math.ceil(right * this.height))
    const firstRow = Math.max(0, Math.floor(top * this.height))
    const lastRow = Math.min(this.height - 1, Math.ceil(bottom * this.height))
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const painted = paintAt((column + 0.5) / this.height, (row + 0.5) / this.height)
        if (!painted) continue
        const [colour, cover] = painted
        const at = (row * this.width + column) * 3
        const kept = add ? 1 : 1 - cover
        this.data[at] = this.data[at]! * kept + colour[0] * cover
        this.data[at + 1] = this.data[at + 1]! * kept + colour[1] * cover
        this.data[at + 2] = this.data[at + 2]! * kept + colour[2] * cover
      }
    }
  }

  /** Darkens towards the corners as a lens does; `amount` is what the corners lose. */
  vignette(amount: number): void {
    const { width, height, data } = this
    const reach = (width * width + height * height) / 4
    let at = 0
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at += 3) {
        const distance = ((column - width / 2) ** 2 + (row - height / 2) ** 2) / reach
        const left = 1 - amount * distance * distance
        data[at] = data[at]! * left
        data[at + 1] = data[at + 1]! * left
        data[at + 2] = data[at + 2]! * left
      }
    }
  }

  /** Eight bits a channel, with a little noise against banding. */
  toBytes(random: Random): Buffer {
    const bytes = Buffer.allocUnsafe(this.data.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = clamp(this.data[at]!) * 254.4 + random.next()
    return bytes
  }

  /** Sixteen bits a channel. */
  toWords(): Uint16Array {
    const words = new Uint16Array(this.data.length)
    for (let at = 0; at < words.length; at++) words[at] = clamp(this.data[at]!) * 65535
    return words
  }
}

/** What a scene makes: painted pixels, and drawn shapes (SVG, in pixels) over them. */
export interface Painting {
  canvas: Canvas
  overlay?: string
}

/** Paints one picture of its kind; the same `random` gives the same picture. */
export type Scene = (random: Random, width: number, height: number) => Painting
