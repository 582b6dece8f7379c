import type { Picture } from '../images/types.ts'
import type { NoiseMap } from '../inference/noiseMap.ts'
import { readWindow } from '../inference/samples.ts'
import type { Rect } from '../inference/types.ts'
import { smoothByPlaceAndBrightness, type Observation } from './bilateralGrid.ts'
import { SIGMA_MAX } from './sigma.ts'

/** What is known of a picture's noise. */
export interface NoiseEstimate {
  /** One figure for the picture, 8-bit units: the root mean square of the map. */
  sigma: number
  map: NoiseMap
}

/**
 * Runs the estimator's network over R, G, B planes of 0..1, [3, height, width], whose sides are multiples of
 * {@link CELL}. Answers [2, height / CELL, width / CELL]: log2(1 + σ) by cell, and the logarithm of the error to be expected of it.
 */
export type EstimatorNetwork = (planes: Float32Array, width: number, height: number) => Promise<Float32Array>

/** Side of the network's cells, in pixels. */
export const CELL = 16

/** The largest tile shown to the network. */
const TILE = 256

/** A larger picture is looked at in this many tiles, spread evenly over it: 1.5 megapixels. Its first denoised pixels wait for this. */
const TILES_MAX = 24

/**
 * A level is raised by so many times what the network expects its error to be above the first of these, by the last at the most;
 * in log2(1 + σ). Noise that is overlooked stays in the picture, while a little too much takes next to nothing from it.
 * A small error is that of chance, as in white noise; a great one is that of texture.
 */
const DOUBT = { from: 0.12, times: 2, most: 0.5 }

/**
 * No cell counts as surer than this, in log2(1 + σ). In a block that JPEG made flat there is no noise, for sure, and nothing
 * can be learnt from it about the places where there is.
 */
const ERROR_LEAST = 0.3

/** Every so many cells the map may take another level, at the least: over fewer, chance would show. */
const SPREAD = 4

/**
 * How strong the noise of a picture is, by place.
 *
 * The network tells the level of every cell of {@link CELL} pixels square, and how sure it is of it. Where texture hides
 * the noise it is not sure: there the map follows what it saw elsewhere, first of all nearby and where the
 * picture is as bright, because a sensor's noise follows the brightness. So the map is smooth, and as good as
 * constant where the noise is uniform.
 *
 * Of a larger picture `tilesMax` evenly spread tiles are looked at; time and memory do not grow with it.
 */
export async function estimateNoise(
  source: Pick<Picture, 'buffer' | 'width' | 'height' | 'channels' | 'bitDepth'>,
  network: EstimatorNetwork,
  tilesMax = TILES_MAX,
): Promise<NoiseEstimate> {
  const { width, height } = source
  const [columns, rows] = [Math.ceil(width / CELL), Math.ceil(height / CELL)]
  const brightness = cellBrightness(source, columns, rows)
  const { tiles, spacing } = planTiles(width, height, tilesMax)
  const observations: Observation[] = []
  let planes = new Float32Array(0)
  for (const tile of tiles) {
    if (planes.length !== 3 * tile.width * tile.height) planes = new Float32Array(3 * tile.width * tile.height)
    readWindow(source, tile, planes)
    observe(tile, await network(planes, tile.width, tile.height))
  }
  const levels = smoothByPlaceAndBrightness(observations, { columns, rows, brightness, spread: Math.max(SPREAD, spacing / CELL) })
  const sigma = new Float32Array(new SharedArrayBuffer(4 * levels.length))
  for (const [index, level] of levels.entries()) sigma[index] = Math.min(SIGMA_MAX, Math.max(0, 2 ** level - 1))
  return {
    sigma: Math.sqrt(sigma.reduce((sum, value) => sum + value * value, 0) / sigma.length),
    map: { sigma, columns, rows, cell: CELL },
  }

  /** Takes up what the network says of a tile's cells, those beyond the picture left out. */
  function observe(tile: Rect, answer: Float32Array): void {
    const [across, down] = [tile.width / CELL, tile.height / CELL]
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++) {
        const [column, row] = [tile.x / CELL + x, tile.y / CELL + y]
        if (column >= columns || row >= rows) continue
        const at = y * across + x
        const error = Math.exp(answer[across * down + at]!)
        observations.push({
          column,
          row,
          level: answer[at]! + Math.min(DOUBT.most, DOUBT.times * Math.max(0, error - DOUBT.from)),
          weight: 1 / (error ** 2 + ERROR_LEAST ** 2),
        })
      }
    }
  }
}

/** The tiles to look at, in reading order, and how far apart they are in pixels (the tile's own side where they meet). */
export function planTiles(width: number, height: number, tilesMax = TILES_MAX): { tiles: Rect[]; spacing: number } {
  const tile = { width: Math.min(TILE, roundUp(width)), height: Math.min(TILE, roundUp(height)) }
  const all = { across: Math.ceil(width / tile.width), down: Math.ceil(height / tile.height) }
  const share = Math.min(1, Math.sqrt(tilesMax / (all.across * all.down)))
  // Two at least, so that they reach from edge to edge.
  const across = Math.min(all.across, tilesMax, Math.max(2, Math.round(all.across * share)))
  const down = Math.min(all.down, Math.max(1, Math.floor(tilesMax / across)))
  const tiles = Array.from({ length: across * down }, (_, index) => ({
    x: start(index % across, across, roundUp(width) - tile.width),
    y: start(Math.floor(index / across), down, roundUp(height) - tile.height),
    ...tile,
  }))
  const gaps = [width / across, height / down].map((pitch, axis) => ((axis === 0 ? across < all.across : down < all.down) ? pitch : 0))
  return { tiles, spacing: Math.max(...gaps) }

  function start(index: number, count: number, last: number): number {
    return count === 1 ? Math.floor(last / 2 / CELL) * CELL : Math.floor((last * index) / (count - 1) / CELL) * CELL
  }
}

/** At least two cells: the network's last convolutions want neighbours. */
function roundUp(length: number): number {
  return Math.max(2, Math.ceil(length / CELL)) * CELL
}

/** Mean brightness of each cell, 0..1, of every fourth pixel of every fourth row. */
function cellBrightness(
  { buffer, width, height, channels, bitDepth }: Pick<Picture, 'buffer' | 'width' | 'height' | 'channels' | 'bitDepth'>,
  columns: number,
  rows: number,
): Float32Array {
  const samples = bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)
  const scale = bitDepth === 8 ? 1 / 255 : 1 / 65_535
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  const sums = new Float32Array(columns * rows)
  const counts = new Uint16Array(columns * rows)
  for (let y = 0; y < height; y += 4) {
    for (let x = 0; x < width; x += 4) {
      const at = (y * width + x) * channels
      const cell = (y >> 4) * columns + (x >> 4)
      sums[cell]! += (0.299 * samples[at]! + 0.587 * samples[at + green]! + 0.114 * samples[at + blue]!) * scale
      counts[cell]!++
    }
  }
  return sums.map((sum, cell) => sum / counts[cell]!)
}
