import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { createRandom, type Random } from '../../core/random.ts'

export interface DrawOptions {
  count: number
  width: number
  height: number
  signal: AbortSignal
  onProgress(text: string): void
}

/** Pictures cut from one canvas. */
const FROM_CANVAS = 100
/** A canvas is this much larger than a picture, and no smaller than so many pixels wide. */
const CANVAS_SCALE = 1.3
const CANVAS_MIN = 2600
/** Detail at every size, as in photographs: lattices of so many cells across and how strong they are. */
const OCTAVES = [
  { cells: 20, strength: 0.5 },
  { cells: 80, strength: 0.35 },
  { cells: 320, strength: 0.25 },
  { cells: 1300, strength: 0.15 },
]
/** What a sensor adds, in 8-bit levels. */
const GRAIN = 16

/**
 * Draws JPEG files into `folder`, which is made when missing: places cut from canvases full of detail, each
 * in a light of its own, with qualities of 82 to 93. At 12 megapixels they are 2 to 5 MB, as a camera's are.
 * The same options give the same files. Errors: an AbortError by `signal`.
 */
export async function drawPictures(folder: string, { count, width, height, signal, onProgress }: DrawOptions): Promise<void> {
  await mkdir(folder, { recursive: true })
  const random = createRandom(count)
  const canvasWidth = Math.max(CANVAS_MIN, Math.round(width * CANVAS_SCALE))
  const raw = { width: canvasWidth, height: Math.round((canvasWidth * height) / width), channels: 3 as const }
  let canvas: Buffer | undefined
  let drawn = 0

  async function drawUpTo(end: number): Promise<void> {
    while (drawn < end) {
      signal.throwIfAborted()
      const index = drawn++
      onProgress(`Drawing pictures: ${index + 1} of ${count}`)
      const place = { left: random.integer(raw.width - width), top: random.integer(raw.height - height), width, height }
      const light = [0, 1, 2].map(() => 0.75 + random.next() * 0.4)
      const file = path.join(folder, `picture-${String(index).padStart(5, '0')}.jpg`)
      await sharp(canvas, { raw })
        .extract(place)
        .linear(light, [0, 0, 0])
        .jpeg({ quality: 82 + random.integer(12) })
        .toFile(file)
    }
  }

  const perCanvas = FROM_CANVAS * Math.ceil(CANVAS_MIN / width)
  for (let end = 0; end < count;) {
    canvas = await drawCanvas(random, raw)
    end = Math.min(count, end + perCanvas)
    await Promise.all(Array.from({ length: availableParallelism() }, () => drawUpTo(end)))
  }
}

async function drawCanvas(random: Random, { width, height }: { width: number; height: number }): Promise<Buffer> {
  const lattice = (cells: number) => {
    const rows = Math.max(2, Math.round((cells * height) / width))
    const data = Uint8Array.from({ length: cells * rows * 3 }, () => random.integer(256))
    return sharp(data, { raw: { width: cells, height: rows, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer()
  }
  const canvas = await lattice(7)
  for (const { cells, strength } of OCTAVES) {
    const detail = await lattice(cells)
    for (let at = 0; at < canvas.length; at++) canvas[at] = clamp(canvas[at]! + (detail[at]! - 128) * strength)
  }
  for (let at = 0; at < canvas.length; at++) canvas[at] = clamp(canvas[at]! + (random.next() - 0.5) * GRAIN)
  return canvas
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, value))
}
