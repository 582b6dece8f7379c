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
  for (let y = 0; y < window.height; y++) {
    const start = rows[y]! * width * channels
    for (const [plane, colour] of [0, green, blue].entries()) {
      const to = plane * size + y * window.width
      for (let x = 0; x < window.width; x++) planes[to + x] = samples[start + columns[x]! + colour]! * scale
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
  for (let y = core.y; y < core.y + core.height; y++) {
    const from = (y - window.y) * window.width + (core.x - window.x)
    const to = (y * width + core.x) * channels
    if (channels < 3) {
      for (let x = 0, at = from; x < core.width; x++, at++) {
        after[to + x * channels] = level((planes[at]! + planes[at + size]! + planes[at + 2 * size]!) / 3, peak)
      }
    } else {
      for (let colour = 0; colour < 3; colour++) {
        for (let x = 0, at = from + colour * size; x < core.width; x++, at++) {
          after[to + x * channels + colour] = level(planes[at]!, peak)
        }
      }
    }
    if (channels === 2 || channels === 4) {
      const alpha = channels - 1
      for (let x = 0; x < core.width; x++) after[to + x * channels + alpha] = before[to + x * channels + alpha]!
    }
  }
}

/** 0..1 as a number up to `peak`, clipped; stored in an array of integers, which cuts fractions off, it is rounded. */
function level(value: number, peak: number): number {
  const scaled = value * peak + 0.5
  return scaled <= 0 ? 0 : scaled >= peak ? peak : scaled
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
