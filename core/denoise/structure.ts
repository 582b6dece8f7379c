import { LUMA, lumaOf, type PixelRect } from '../contract/index.ts'
import { samplesOf } from '../images/picture.ts'
import type { Picture } from '../images/types.ts'
import type { NoiseMap } from '../inference/noiseMap.ts'
import { inSlices } from '../slices.ts'
import { CELL, type NoiseEstimate } from './estimate.ts'
import { toldOf } from './sigma.ts'

/** Side of the blocks that are looked at, in pixels: the cells of the noise map. */
const SIDE = CELL
const AREA = SIDE * SIDE
/** Blocks looked at, at most: spread evenly, some 10 ms. */
const LOOKS = 3000
/** Blocks of like brightness that tell how strong the noise is there. */
const ALIKE = 80
/** The quietest fifth ends at this share of the true variance of so many normal samples. */
const LOWEST_FIFTH = 1 - 0.84 * Math.sqrt(2 / AREA)
/** Variances of white noise lie above this share of the true one once in a thousand times; correlated noise's scatter more. */
const CHANCE = 1 + 4 * Math.sqrt(2 / AREA)
/** A block whose luma varies less than this (standard deviation, 8-bit levels) has no structure to lose. */
const STRUCTURE_MIN = 1.5
/** Noise is at most so many times as strong as what the network would be told of the estimate, or of this σ in 8-bit levels: weak, smooth noise is overlooked. */
const NOISE_MOST = { times: 1.5, overlooked: 3 }
/** Told the level that is there, the models stay far below it; told three times as much, they pass it where there is texture. */
export const STRUCTURE_LIMIT = 0.05

export interface LossOfStructure {
  /** 0..1, at strength 100 and texture 0. */
  loss: number
  worst: PixelRect | null
}

interface Block {
  x: number
  y: number
  /** σ of the noise that was estimated here, 8-bit units. */
  sigma: number
  /** Mean luma, 0..255. */
  level: number
  /** Variances of the luma of what was removed and of what is left, 8-bit levels squared. */
  removed: number
  left: number
}

/**
 * How much structure went with the noise. In a block that had only noise, what was removed varies as the
 * noise does, wherever the block lies; where it varies more than the noise can, the rest was structure. The
 * noise's variance is that of the σ estimated there or, where more was removed from even the quietest fifth of the
 * blocks of like brightness, theirs: noise that was underestimated is no structure. But no
 * more than {@link NOISE_MOST}: of texture that is everywhere, the quietest fifth has its share. The loss is
 * √(excess / (excess + what is left)), a share of contrast, averaged over the blocks that had any.
 *
 * It is the test of the method noise (Buades, Coll, Morel, "A Review of Image Denoising Algorithms", 2005:
 * "the difference should look like noise") made a number. It cannot see texture that the estimate took for noise.
 */
export async function measureStructureLoss(
  original: Picture,
  denoised: SharedArrayBuffer,
  { map }: NoiseEstimate,
): Promise<LossOfStructure> {
  const blocks = await lookAt(original, denoised, map)
  const gain = original.channels < 3 ? 1 : LUMA.red ** 2 + LUMA.green ** 2 + LUMA.blue ** 2
  const noise = noiseOf(blocks, gain)
  let [sum, count] = [0, 0]
  let worst: { block: Block; loss: number } | undefined
  for (const [index, block] of blocks.entries()) {
    const allowed = noise[index]!
    const excess = block.removed > allowed * CHANCE ? block.removed - allowed : 0
    const structure = excess + block.left
    if (structure < STRUCTURE_MIN ** 2) continue
    const loss = Math.sqrt(excess / structure)
    sum += loss
    count++
    if (loss > (worst?.loss ?? 0)) worst = { block, loss }
  }
  const around = worst && surroundings(worst.block, original)
  return { loss: count === 0 ? 0 : sum / count, worst: around ?? null }
}

async function lookAt(original: Picture, denoised: SharedArrayBuffer, map: NoiseMap): Promise<Block[]> {
  const { width, height, channels, bitDepth } = original
  const [columns, rows] = [Math.floor(width / SIDE), Math.floor(height / SIDE)]
  const before = samplesOf(original)
  const after = samplesOf({ buffer: denoised, bitDepth })
  const scale = bitDepth === 8 ? 1 : 1 / 257
  const total = columns * rows
  const looks = Math.min(LOOKS, total)
  const blocks: Block[] = []
  await inSlices(
    looks,
    (start, end) => {
      for (let look = start; look < end; look++) {
        const index = Math.floor((look * total) / looks)
        blocks.push(measure((index % columns) * SIDE, Math.floor(index / columns) * SIDE))
      }
    },
    100,
  )
  return blocks

  function measure(x: number, y: number): Block {
    let [removedSum, removedSquares, leftSum, leftSquares] = [0, 0, 0, 0]
    for (let row = y; row < y + SIDE; row++) {
      for (let at = (row * width + x) * channels, column = 0; column < SIDE; column++, at += channels) {
        const [old, now] = [luma(before, at), luma(after, at)]
        removedSum += old - now
        removedSquares += (old - now) ** 2
        leftSum += now
        leftSquares += now * now
      }
    }
    const variance = (sum: number, squares: number) => Math.max(0, squares / AREA - (sum / AREA) ** 2)
    const sigma = map.sigma[(y / SIDE) * map.columns + x / SIDE]!
    return { x, y, sigma, level: leftSum / AREA, removed: variance(removedSum, removedSquares), left: variance(leftSum, leftSquares) }
  }

  function luma(samples: Uint8Array | Uint16Array, at: number): number {
    return scale * (channels < 3 ? samples[at]! : lumaOf(samples[at]!, samples[at + 1]!, samples[at + 2]!))
  }
}

/**
 * The variance of the luma of each block's noise; they are sorted by brightness.
 *
 * @param gain the variance of luma beside that of the channels, where their noise is independent. Where it is not, it is 1:
 *   the most that the noise can be is taken so.
 */
function noiseOf(blocks: Block[], gain: number): number[] {
  blocks.sort((a, b) => a.level - b.level)
  const estimated = ({ sigma }: Block) => sigma * sigma * gain
  if (blocks.length < ALIKE) return blocks.map(estimated)
  // Slides over the blocks and stays sorted: sorting it anew for each would hold the loop for some 50 ms.
  const alike = blocks.slice(0, ALIKE).map(({ removed }) => removed)
  alike.sort((a, b) => a - b)
  let start = 0
  return blocks.map((block, index) => {
    for (; start < Math.min(index - ALIKE / 2, blocks.length - ALIKE); start++) {
      alike.splice(alike.indexOf(blocks[start]!.removed), 1)
      const { removed } = blocks[start + ALIKE]!
      const place = alike.findIndex((value) => value > removed)
      alike.splice(place < 0 ? alike.length : place, 0, removed)
    }
    const most = Math.max(NOISE_MOST.overlooked, NOISE_MOST.times * toldOf(block.sigma)) ** 2
    return Math.max(estimated(block), Math.min(most, alike[ALIKE / 5]! / LOWEST_FIFTH))
  })
}

/** A piece of the picture around a block that is large enough to be shown: 256 pixels a side. */
function surroundings({ x, y }: Block, { width, height }: Picture): PixelRect {
  const side = 256
  const start = (at: number, size: number) => Math.max(0, Math.min(at + SIDE / 2 - side / 2, size - side))
  return { x: start(x, width), y: start(y, height), width: Math.min(side, width), height: Math.min(side, height) }
}
