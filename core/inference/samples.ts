import { mirrored } from './tiling.ts'
import type { Rect, TileRequest } from './types.ts'

type Source = TileRequest['source']

function samplesOf(buffer: SharedArrayBuffer, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  return bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)
}

/** The window of a picture as planes R, G, B of 0..1, mirrored beyond its edges; grey is repeated, alpha left out. */
export function readWindow(source: Source, window: Rect, planes: Float32Array): void {
  const { width, height, channels, bitDepth } = source
  const samples = samplesOf(source.buffer, bitDepth)
  const scale = bitDepth === 8 ? 1 / 255 : 1 / 65_535
  const columns = mirrored(window.x, window.width, width).map((x) => x * channels)
  const rows = mirrored(window.y, window.height, height)
  const size = window.width * window.height
  const green = channels < 3 ? 0 : 1
  const blue = channels < 3 ? 0 : 2
  let to = 0
  for (let y = 0; y < window.height; y++) {
    const start = rows[y]! * width * channels
    for (let x = 0; x < window.width; x++) {
      const from = start + columns[x]!
      planes[to] = samples[from]! * scale
      planes[to + size] = samples[from + green]! * scale
      planes[to + 2 * size] = samples[from + blue]! * scale
      to++
    }
  }
}

/** Writes the core out of the window's planes, rounded and clipped; grey is their mean, alpha is the source's. */
export function writeCore(planes: Float32Array, window: Rect, core: Rect, source: Source, target: SharedArrayBuffer): void {
  const { width, channels, bitDepth } = source
  const before = samplesOf(source.buffer, bitDepth)
  const after = samplesOf(target, bitDepth)
  const peak = bitDepth === 8 ? 255 : 65_535
  const size = window.width * window.height
  const level = (value: number) => Math.min(peak, Math.max(0, Math.round(value * peak)))
  for (let y = core.y; y < core.y + core.height; y++) {
    let from = (y - window.y) * window.width + (core.x - window.x)
    let to = (y * width + core.x) * channels
    for (let x = 0; x < core.width; x++, from++, to += channels) {
      const [red, green, blue] = [planes[from]!, planes[from + size]!, planes[from + 2 * size]!]
      if (channels < 3) {
        after[to] = level((red + green + blue) / 3)
      } else {
        after[to] = level(red)
        after[to + 1] = level(green)
        after[to + 2] = level(blue)
      }
      if (channels === 2 || channels === 4) after[to + channels - 1] = before[to + channels - 1]!
    }
  }
}

/** The same of planes of any values, as the benchmark has them. */
export interface Planes {
  /** R, G, B planes one after the other, 0..1 where noise does not leave that range. */
  data: Float32Array
  width: number
  height: number
}

export function readWindowOfPlanes(source: Planes, window: Rect, planes: Float32Array): void {
  const columns = mirrored(window.x, window.width, source.width)
  const rows = mirrored(window.y, window.height, source.height)
  let to = 0
  for (let plane = 0; plane < 3; plane++) {
    for (const row of rows) {
      const start = (plane * source.height + row) * source.width
      for (const column of columns) planes[to++] = source.data[start + column]!
    }
  }
}

export function writeCoreOfPlanes(planes: Float32Array, window: Rect, core: Rect, target: Planes): void {
  for (let plane = 0; plane < 3; plane++) {
    for (let y = core.y; y < core.y + core.height; y++) {
      const from = (plane * window.height + y - window.y) * window.width + core.x - window.x
      target.data.set(planes.subarray(from, from + core.width), (plane * target.height + y) * target.width + core.x)
    }
  }
}
