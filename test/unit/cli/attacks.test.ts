import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applySteps, readPixels, readSuite, type Pixels, type Step } from '../../../cli/bench/attacks.ts'
import { ATTACKS_FILE, ROOT } from '../../../cli/paths.ts'
import { createRandom } from '../../../core/random.ts'

const apply = (picture: Pixels, steps: Step[], seed = 1) => applySteps(picture, steps, createRandom(seed))

/** A picture whose every pixel tells its place: red grows to the right, green downwards, blue is fixed. */
function gradient(width: number, height: number): Pixels {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([Math.floor((x * 256) / width), Math.floor((y * 256) / height), 77], (y * width + x) * 3)
  }
  return { data, width, height }
}

function flat(width: number, height: number, [r, g, b]: [number, number, number]): Pixels {
  return { data: Buffer.alloc(width * height * 3, Buffer.from([r, g, b])), width, height }
}

const at = (picture: Pixels, x: number, y: number) => [
  ...picture.data.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3),
]

function shareOf(picture: Pixels, [r, g, b]: number[]): number {
  let count = 0
  for (let i = 0; i < picture.data.length; i += 3)
    if (picture.data[i] === r && picture.data[i + 1] === g && picture.data[i + 2] === b) count++
  return count / (picture.width * picture.height)
}

function meanDifference(a: Pixels, b: Pixels): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!)
  return sum / a.data.length
}

describe('the suite', () => {
  const shared = path.resolve(ROOT, '../shared/attacks.json')

  it('has the 36 attacks, all of whose steps are known', async () => {
    const suite = await readSuite(ATTACKS_FILE)
    expect(suite.attacks).toHaveLength(36)
    expect(suite.seed).toBe(20261121)
  })

  it.skipIf(!existsSync(shared))('equals the shared one', async () => {
    expect(JSON.parse(await readFile(ATTACKS_FILE, 'utf8'))).toEqual(JSON.parse(await readFile(shared, 'utf8')))
  })

  it('gives the same damage for the same seed and another for another', async () => {
    const suite = await readSuite(ATTACKS_FILE)
    const picture = gradient(96, 64)
    for (const { name, steps } of suite.attacks) {
      const once = await apply(picture, steps, 5)
      const again = await apply(picture, steps, 5)
      expect([name, once.width, once.height, once.data.equals(again.data)]).toEqual([name, again.width, again.height, true])
      expect(once.data.length, name).toBe(once.width * once.height * 3)
      const isRandom = steps.some((step) => 'noise' in step || 'crop' in step || 'cover' in step || 'text' in step || 'screenshot' in step)
      const other = await apply(picture, steps, 6)
      expect(once.data.equals(other.data), name).toBe(!isRandom)
    }
  })

  it('leaves the picture it was given untouched', async () => {
    const suite = await readSuite(ATTACKS_FILE)
    const picture = gradient(60, 40)
    const before = Buffer.from(picture.data)
    for (const { steps } of suite.attacks) await apply(picture, steps)
    expect(picture.data.equals(before)).toBe(true)
  })
})

describe('a suite file', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'lucidex-suite-'))))
  afterAll(() => rm(folder, { recursive: true }))

  it.each([
    ['an unknown step', { melt: {} }],
    ['an unknown setting', { crop: { area: 0.5, where: 'left' } }],
    ['two steps in one', { mirror: {}, grey: {} }],
    ['an impossible strength', { crop: { area: 1.5 } }],
  ])('with %s is refused', async (_, step) => {
    const file = path.join(folder, 'suite.json')
    await writeFile(file, JSON.stringify({ note: '', seed: 1, attacks: [{ name: 'a', steps: [step] }] }))
    await expect(readSuite(file)).rejects.toThrow()
  })
})

describe('noise', () => {
  it('has the stated σ, mean 0 and independent channels', async () => {
    const noisy = await apply(flat(200, 200, [128, 128, 128]), [{ noise: { sigma: 25 } }])
    let sum = 0
    let square = 0
    let cross = 0
    for (let i = 0; i < noisy.data.length; i++) {
      const value = noisy.data[i]! - 128
      sum += value
      square += value * value
      if (i % 3 === 0) cross += value * (noisy.data[i + 1]! - 128)
    }
    const count = noisy.data.length
    expect(sum / count).toBeCloseTo(0, 0)
    expect(Math.sqrt(square / count)).toBeGreaterThan(24.7)
    expect(Math.sqrt(square / count)).toBeLessThan(25.3)
    expect(Math.abs(cross / (count / 3)) / 625).toBeLessThan(0.03)
  })

  it('is clipped, not wrapped', async () => {
    const noisy = await apply(flat(100, 100, [255, 0, 128]), [{ noise: { sigma: 20 } }])
    for (let i = 0; i < noisy.data.length; i += 3) {
      expect(noisy.data[i]).toBeGreaterThan(150)
      expect(noisy.data[i + 1]).toBeLessThan(105)
    }
  })
})

describe('geometry', () => {
  it('crop keeps the share of the area, the proportions, and true pixels of a random place', async () => {
    const picture = gradient(200, 100)
    const seen = new Set<number>()
    for (let seed = 0; seed < 8; seed++) {
      const cropped = await apply(picture, [{ crop: { area: 0.3 } }], seed)
      expect((cropped.width * cropped.height) / 20000).toBeCloseTo(0.3, 1)
      expect(cropped.width / cropped.height).toBeCloseTo(2, 1)
      const [red] = at(cropped, 0, 0)
      const [redRight] = at(cropped, cropped.width - 1, 0)
      expect(redRight! - red!).toBeCloseTo(((cropped.width - 1) * 256) / 200, -1)
      seen.add(red!)
    }
    expect(seen.size).toBeGreaterThan(4)
  })

  it('rotate grows the canvas and fills the corners', async () => {
    const turned = await apply(flat(200, 100, [200, 30, 30]), [{ rotate: { degrees: 45, fill: '#808080' } }])
    const side = (200 + 100) * Math.SQRT1_2
    expect(Math.abs(turned.width - side)).toBeLessThan(3)
    expect(Math.abs(turned.height - side)).toBeLessThan(3)
    expect(at(turned, 0, 0)).toEqual([128, 128, 128])
    expect(at(turned, turned.width >> 1, turned.height >> 1)).toEqual([200, 30, 30])
    // Nothing of the picture is lost.
    expect(shareOf(turned, [200, 30, 30]) * turned.width * turned.height).toBeGreaterThan(0.95 * 20000)
  })

  it('rotate by 90° turns without resampling', async () => {
    const picture = gradient(30, 20)
    const turned = await apply(picture, [{ rotate: { degrees: 90, fill: '#000000' } }])
    expect([turned.width, turned.height]).toEqual([20, 30])
    expect(at(turned, 19, 0)).toEqual(at(picture, 0, 0))
  })

  it('mirror exchanges left and right', async () => {
    const picture = gradient(31, 20)
    const mirrored = await apply(picture, [{ mirror: {} }])
    expect(at(mirrored, 0, 3)).toEqual(at(picture, 30, 3))
    expect(at(mirrored, 10, 7)).toEqual(at(picture, 20, 7))
  })

  it.each([
    [{ resize: { scale: 0.25 } }, 200, 100, 50, 25],
    [{ resize: { long: 64 } }, 200, 100, 64, 32],
    [{ resize: { long: 64 } }, 100, 200, 32, 64],
    [{ stretch: { x: 1.33, y: 1 } }, 200, 100, 266, 100],
    [{ pad: { share: 0.2, fill: '#ffffff' } }, 200, 100, 280, 140],
  ] as [Step, number, number, number, number][])('%j makes %d × %d into %d × %d', async (step, width, height, toWidth, toHeight) => {
    const resized = await apply(gradient(width, height), [step])
    expect([resized.width, resized.height]).toEqual([toWidth, toHeight])
  })

  it('pad lays the fill around the picture as it is', async () => {
    const picture = gradient(50, 40)
    const padded = await apply(picture, [{ pad: { share: 0.4, fill: '#102030' } }])
    expect(at(padded, 0, 0)).toEqual([16, 32, 48])
    expect(at(padded, padded.width - 1, padded.height - 1)).toEqual([16, 32, 48])
    expect(at(padded, 20 + 7, 16 + 5)).toEqual(at(picture, 7, 5))
  })
})

describe('values', () => {
  it('linear, channels, grey and posterise do their arithmetic, clipped', async () => {
    const picture = flat(4, 4, [100, 200, 40])
    expect(at(await apply(picture, [{ linear: { gain: 1.4, offset: 20 } }]), 0, 0)).toEqual([160, 255, 76])
    expect(at(await apply(picture, [{ channels: { r: 1.25, g: 1, b: 0.75 } }]), 0, 0)).toEqual([125, 200, 30])
    expect(at(await apply(picture, [{ grey: {} }]), 0, 0)).toEqual([152, 152, 152])
    expect(at(await apply(picture, [{ posterise: { levels: 4 } }]), 0, 0)).toEqual([85, 170, 0])
  })

  it('posterise leaves as many values as it says', async () => {
    const { data } = await apply(gradient(256, 64), [{ posterise: { levels: 4 } }])
    expect([...new Set(data.filter((_, index) => index % 3 === 0))].sort((a, b) => a - b)).toEqual([0, 85, 170, 255])
  })

  it('blur spreads an edge as a Gaussian of that σ does', async () => {
    const edge = flat(120, 20, [0, 0, 0])
    for (let y = 0; y < 20; y++) edge.data.fill(255, (y * 120 + 60) * 3, (y + 1) * 120 * 3)
    const { data } = await apply(edge, [{ blur: { sigma: 5 } }])
    // One σ beyond the edge a Gaussian's distribution function is 0.841.
    expect(data[(10 * 120 + 64) * 3]! / 255).toBeGreaterThan(0.8)
    expect(data[(10 * 120 + 64) * 3]! / 255).toBeLessThan(0.87)
    expect(data[(10 * 120 + 50) * 3]! / 255).toBeLessThan(0.05)
  })

  it('recompression loses more at a lower quality', async () => {
    const picture = await apply(gradient(128, 128), [{ text: { lines: 4, height: 0.2 } }])
    const loss = async (step: Step) => meanDifference(picture, await apply(picture, [step]))
    const [fine, coarse, webp] = [
      await loss({ jpeg: { quality: 90 } }),
      await loss({ jpeg: { quality: 5 } }),
      await loss({ webp: { quality: 10 } }),
    ]
    expect(fine).toBeGreaterThan(0)
    expect(coarse).toBeGreaterThan(2 * fine)
    expect(webp).toBeGreaterThan(fine)
  })
})

describe('things over and around', () => {
  it('cover hides its share of the area under one colour', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const picture = flat(300, 200, [1, 2, 3])
      const covered = await apply(picture, [{ cover: { share: 0.4 } }], seed)
      expect(1 - shareOf(covered, [1, 2, 3])).toBeCloseTo(0.4, 2)
      expect(new Set(Array.from({ length: 300 * 200 }, (_, i) => covered.data.readUIntBE(i * 3, 3))).size).toBe(2)
    }
  })

  it('text writes as many lines as it says', async () => {
    const written = await apply(flat(400, 300, [255, 255, 255]), [{ text: { lines: 3, height: 0.12 } }], 3)
    const rows = Array.from({ length: 300 }, (_, y) => written.data.subarray(y * 1200, (y + 1) * 1200).some((value) => value < 250))
    // The dots of i and j stand 3 rows above their letters, lines at least 10 apart.
    const starts = rows.filter((inked, y) => inked && !rows.slice(Math.max(0, y - 6), y).some(Boolean)).length
    expect(starts).toBe(3)
    expect(rows.filter(Boolean).length).toBeGreaterThan(3 * 0.08 * 300)
  })

  it('screenshot shows the whole picture unscaled at its share of the window', async () => {
    const picture = gradient(240, 150)
    const shot = await apply(picture, [{ screenshot: { share: 0.6 } }])
    expect(picture.width / shot.width).toBeCloseTo(0.6, 2)
    const left = Array.from({ length: shot.width }, (_, x) => x).find((x) => {
      for (let y = 20; y < shot.height - picture.height; y++)
        if (at(shot, x, y).join() === at(picture, 0, 0).join() && at(shot, x + 239, y + 149).join() === at(picture, 239, 149).join())
          return true
      return false
    })
    expect(left).toBeGreaterThan(0)
    // The window around it is light and written on.
    const light = shot.data.filter((value) => value > 220).length / shot.data.length
    expect(light).toBeGreaterThan(0.3)
  })
})

describe('readPixels', () => {
  it('applies the EXIF orientation and lays transparency on mid-grey', async () => {
    const { default: sharp } = await import('sharp')
    const lying = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#ff0000' } })
      .withExif({ IFD0: { Orientation: '6' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    expect(await readPixels(lying)).toMatchObject({ width: 20, height: 40 })
    const clear = await sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toBuffer()
    expect(at(await readPixels(clear), 1, 1)).toEqual([128, 128, 128])
    const grey16 = await sharp(new Uint16Array(16).fill(32768), { raw: { width: 4, height: 4, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer()
    const read = await readPixels(grey16)
    expect([read.data.length, at(read, 0, 0)]).toEqual([48, [128, 128, 128]])
  })
})
