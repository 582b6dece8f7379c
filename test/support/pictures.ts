/** Photo-like pictures drawn by code, so that no test needs anything but the project. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll } from 'vitest'
import { createRandom, type Random } from '../../core/random.ts'

export interface Size {
  width: number
  height: number
}

/** Raw RGB bytes of a picture with a lit background, rough ground, solid shapes and fine grain: no two look alike. */
export async function makePhoto(random: Random, { width, height }: Size): Promise<Buffer> {
  const light = Array.from({ length: 4 }, () => colour(random))
  const rough = noise(random, { width, height }, 4 + random.integer(5), 4)
  const contrast = 30 + random.next() * 90
  const tint = [random.next(), random.next(), random.next()]
  const shapes = Array.from({ length: 4 + random.integer(8) }, () => shape(random))
  const pixels = Buffer.alloc(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    const v = y / height
    for (let x = 0; x < width; x++) {
      const u = x / width
      const texture = (rough[y * width + x]! - 0.5) * contrast
      const cover = shapes.findLast((shape) => shape.covers(u, v))
      const grain = (random.next() - 0.5) * 6
      for (let c = 0; c < 3; c++, at++) {
        const ground =
          (light[0]![c]! * (1 - u) + light[1]![c]! * u) * (1 - v) +
          (light[2]![c]! * (1 - u) + light[3]![c]! * u) * v +
          texture * (0.5 + tint[c]!)
        const value = cover ? cover.colour[c]! * cover.shade(u, v) + texture * cover.rough : ground
        pixels[at] = Math.max(0, Math.min(255, value + grain))
      }
    }
  }
  return pixels
}

/** A picture in its file format: JPEG at quality 90, or PNG. */
export async function encodePhoto(random: Random, size: Size, format: 'jpeg' | 'png' = 'jpeg'): Promise<Buffer> {
  const image = sharp(await makePhoto(random, size), { raw: { ...size, channels: 3 } })
  return format === 'png' ? image.png({ compressionLevel: 3 }).toBuffer() : image.jpeg({ quality: 90 }).toBuffer()
}

/**
 * Writes `photo-00.jpg`, `photo-01.jpg` … into a folder, which is made when missing, and returns their paths.
 * The same seed gives the same pictures.
 */
export async function writePhotos(
  folder: string,
  count: number,
  { width = 320, height = 240, seed = 1, format = 'jpeg' as 'jpeg' | 'png' } = {},
): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const digits = Math.max(2, String(count - 1).length)
  const paths: string[] = []
  for (let index = 0; index < count; index++) {
    const file = path.join(folder, `photo-${String(index).padStart(digits, '0')}.${format === 'png' ? 'png' : 'jpg'}`)
    await writeFile(file, await encodePhoto(createRandom(seed * 100_003 + index), { width, height }, format))
    paths.push(file)
  }
  return paths
}

const temporary: string[] = []
afterAll(async () => {
  for (const folder of temporary.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A fresh folder (its real path) that is deleted when the test file is done. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lucidex-test-')))
  temporary.push(folder)
  return folder
}

type Colour = [number, number, number]

function colour(random: Random): Colour {
  return [random.integer(256), random.integer(256), random.integer(256)]
}

interface Shape {
  colour: Colour
  /** How much of the ground's texture shows on it. */
  rough: number
  covers(u: number, v: number): boolean
  /** Brightness factor, as if lit from one side. */
  shade(u: number, v: number): number
}

/** A turned ellipse, rectangle or band. */
function shape(random: Random): Shape {
  const kind = random.integer(3)
  const [x, y] = [random.next(), random.next()]
  const [a, b] = [0.04 + random.next() * 0.26, kind === 2 ? 2 : 0.04 + random.next() * 0.26]
  const angle = random.next() * Math.PI
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const slope = (random.next() - 0.5) * 2
  return {
    colour: colour(random),
    rough: random.next() * 0.8,
    covers(u, v) {
      const p = ((u - x) * cos + (v - y) * sin) / (kind === 2 ? a / 3 : a)
      const q = ((v - y) * cos - (u - x) * sin) / b
      return kind === 0 ? p * p + q * q < 1 : Math.abs(p) < 1 && Math.abs(q) < 1
    },
    shade: (u, v) => 0.85 + slope * (u - x + v - y),
  }
}

/** Value noise in 0..1: `octaves` bilinear lattices, the first with `cells` cells across, each twice as fine and half as strong as the last. */
function noise(random: Random, { width, height }: Size, cells: number, octaves: number): Float32Array {
  const sum = new Float32Array(width * height)
  for (let octave = 0, strength = 0.53; octave < octaves; octave++, cells *= 2, strength /= 2) {
    const side = cells + 2
    const lattice = Float32Array.from({ length: side * side }, () => random.next() * strength)
    for (let y = 0; y < height; y++) {
      const v = (y / height) * cells
      const row = Math.floor(v)
      for (let x = 0; x < width; x++) {
        const u = (x / width) * cells
        const column = Math.floor(u)
        const at = row * side + column
        const top = lattice[at]! + (lattice[at + 1]! - lattice[at]!) * (u - column)
        const bottom = lattice[at + side]! + (lattice[at + side + 1]! - lattice[at + side]!) * (u - column)
        sum[y * width + x]! += top + (bottom - top) * (v - row)
      }
    }
  }
  return sum
}
