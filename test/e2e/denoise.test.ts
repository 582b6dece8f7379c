/** A 24-megapixel JPEG through the command line: bounded memory, no seams, EXIF and ICC kept. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { runMeasured } from '../../cli/bench/peakMemory.ts'
import { ROOT } from '../../cli/paths.ts'
import { createRandom } from '../../core/random.ts'
import { temporaryFolder } from '../support/pictures.ts'

const WIDTH = 6000
const HEIGHT = 4000

describe('a 24-megapixel JPEG', () => {
  let input: string
  let output: string
  let run: Awaited<ReturnType<typeof runMeasured>>

  beforeAll(async () => {
    const root = await temporaryFolder()
    input = path.join(root, 'in', 'noisy.jpg')
    output = path.join(root, 'out.png')
    await mkdir(path.dirname(input))
    // A slow gradient under noise: any step at a tile's border would stand out on it.
    const random = createRandom(24)
    const grain = Float32Array.from({ length: 65_536 }, () => random.normal() * 20)
    const pixels = Buffer.alloc(WIDTH * HEIGHT * 3)
    for (let y = 0, at = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const light = 60 + (x / WIDTH) * 80 + (y / HEIGHT) * 40
        for (let channel = 0; channel < 3; channel++, at++) pixels[at] = light + grain[random.integer(65_536)]!
      }
    }
    await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .withIccProfile('p3')
      .withExif({ IFD0: { Make: 'Lucidex', Model: 'Test 24', Copyright: 'nobody' } })
      .jpeg({ quality: 97, chromaSubsampling: '4:4:4' })
      .toFile(input)
    run = await runMeasured(path.join(ROOT, 'cli/lucidex.mjs'), ['denoise', input, '-o', output, '--model', 'fast', '--json'])
  }, 300_000)

  it('denoises in under 1.5 GB', () => {
    expect(JSON.parse(run.output)).toMatchObject({ items: [{ width: WIDTH, height: HEIGHT, status: 'done' }] })
    if (run.peakBytes === null) return console.warn('NO /proc: memory was not measured')
    console.log(`peak resident memory: ${(run.peakBytes / 1e6).toFixed(0)} MB`)
    expect(run.peakBytes).toBeGreaterThan(100e6)
    expect(run.peakBytes).toBeLessThan(1.5e9)
  })

  it('keeps EXIF and the very bytes of the ICC profile', async () => {
    const [before, after] = await Promise.all([sharp(input).metadata(), sharp(output).metadata()])
    expect(after).toMatchObject({ width: WIDTH, height: HEIGHT, format: 'png' })
    expect(after.icc?.equals(before.icc!)).toBe(true)
    for (const value of ['Lucidex', 'Test 24', 'nobody']) expect(after.exif?.includes(value)).toBe(true)
  })

  it('shows no border of any tile', async () => {
    const { data } = await sharp(output, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true })
    const column = Float64Array.from({ length: WIDTH }, () => 0)
    const row = Float64Array.from({ length: HEIGHT }, () => 0)
    let squares = 0
    for (let y = 0, at = 1; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++, at += 3) {
        const off = data[at]! - (60 + (x / WIDTH) * 80 + (y / HEIGHT) * 40)
        column[x]! += off / HEIGHT
        row[y]! += off / WIDTH
        squares += off * off
      }
    }
    // The noise is gone…
    expect(Math.sqrt(squares / (WIDTH * HEIGHT))).toBeLessThan(4)
    // …and no line of pixels steps away from its neighbour by more than one level.
    const steps = (profile: Float64Array) => profile.slice(1).map((value, index) => Math.abs(value - profile[index]!))
    expect(Math.max(...steps(column), ...steps(row))).toBeLessThanOrEqual(1)
  })
})
