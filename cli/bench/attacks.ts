/**
 * The damage of `bench copies`: what people, programs and websites do to a picture. The suite itself
 * (names, strengths, fills, seed) is data, resources/attacks.json; here are its steps.
 */
import { readFile } from 'node:fs/promises'
import sharp, { type Sharp } from 'sharp'
import { z } from 'zod'
import type { Random } from '../../core/random.ts'
import { lettersIn, randomWords, textPath, textWidth } from './lettering.ts'

/** Interleaved RGB bytes, width × height × 3, upright, sRGB. */
export interface Pixels {
  data: Buffer
  width: number
  height: number
}

const share = z.number().positive().max(1)
const colour = z.string().regex(/^#[0-9a-f]{6}$/)
const quality = z.number().int().min(1).max(100)

/** One step is an object with one key: its kind. */
const step = z.union([
  z.strictObject({ noise: z.strictObject({ sigma: z.number().nonnegative() }) }),
  z.strictObject({ jpeg: z.strictObject({ quality }) }),
  z.strictObject({ webp: z.strictObject({ quality }) }),
  z.strictObject({ crop: z.strictObject({ area: share }) }),
  z.strictObject({ rotate: z.strictObject({ degrees: z.number(), fill: colour }) }),
  z.strictObject({ mirror: z.strictObject({}) }),
  z.strictObject({
    resize: z.union([z.strictObject({ scale: z.number().positive() }), z.strictObject({ long: z.number().int().positive() })]),
  }),
  z.strictObject({ stretch: z.strictObject({ x: z.number().positive(), y: z.number().positive() }) }),
  z.strictObject({ blur: z.strictObject({ sigma: z.number().positive() }) }),
  z.strictObject({ pad: z.strictObject({ share, fill: colour }) }),
  z.strictObject({ cover: z.strictObject({ share }) }),
  z.strictObject({ text: z.strictObject({ lines: z.number().int().positive(), height: share }) }),
  z.strictObject({ grey: z.strictObject({}) }),
  z.strictObject({ linear: z.strictObject({ gain: z.number(), offset: z.number() }) }),
  z.strictObject({ channels: z.strictObject({ r: z.number(), g: z.number(), b: z.number() }) }),
  z.strictObject({ posterise: z.strictObject({ levels: z.number().int().min(2).max(256) }) }),
  z.strictObject({ screenshot: z.strictObject({ share }) }),
])

const suite = z.object({
  note: z.string(),
  seed: z.number().int(),
  attacks: z.array(z.strictObject({ name: z.string(), steps: z.array(step).min(1) })).min(1),
})

export type Step = z.infer<typeof step>
export type AttackSuite = z.infer<typeof suite>

/** Reads a suite and refuses a step that is not known. */
export async function readSuite(file: string): Promise<AttackSuite> {
  return suite.parse(JSON.parse(await readFile(file, 'utf8')))
}

/** The whole picture of a file as the attacks want it: EXIF orientation applied, alpha on mid-grey as in the encoder's input. */
export async function readPixels(input: string | Uint8Array): Promise<Pixels> {
  return toPixels(sharp(input).autoOrient().flatten({ background: '#808080' }))
}

/** Applies the steps in order. Sizes, positions, colours and noise that the suite leaves open come from `random`. */
export async function applySteps(picture: Pixels, steps: readonly Step[], random: Random): Promise<Pixels> {
  let damaged = picture
  for (const one of steps) damaged = await applyStep(damaged, one, random)
  return damaged
}

function applyStep(picture: Pixels, one: Step, random: Random): Promise<Pixels> | Pixels {
  if ('noise' in one) return addNoise(picture, one.noise.sigma, random)
  if ('jpeg' in one) return recompress(fromPixels(picture).jpeg({ quality: one.jpeg.quality }))
  if ('webp' in one) return recompress(fromPixels(picture).webp({ quality: one.webp.quality }))
  if ('crop' in one) return crop(picture, one.crop.area, random)
  if ('rotate' in one) return toPixels(fromPixels(picture).rotate(one.rotate.degrees, { background: one.rotate.fill }))
  if ('mirror' in one) return toPixels(fromPixels(picture).flop())
  if ('resize' in one) return resize(picture, one.resize)
  if ('stretch' in one) return resizeTo(picture, picture.width * one.stretch.x, picture.height * one.stretch.y)
  if ('blur' in one) return toPixels(fromPixels(picture).blur({ sigma: one.blur.sigma, precision: 'float' }))
  if ('pad' in one) return pad(picture, one.pad.share, one.pad.fill)
  if ('cover' in one) return cover(picture, one.cover.share, random)
  if ('text' in one) return writeText(picture, one.text.lines, one.text.height, random)
  if ('grey' in one) return grey(picture)
  if ('linear' in one) return mapChannels(picture, () => (value) => value * one.linear.gain + one.linear.offset)
  if ('channels' in one)
    return mapChannels(picture, (channel) => (value) => value * [one.channels.r, one.channels.g, one.channels.b][channel]!)
  if ('posterise' in one) return posterise(picture, one.posterise.levels)
  return screenshot(picture, one.screenshot.share, random)
}

// ---------------------------------------------------------------- To and from sharp

function fromPixels({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

async function toPixels(pipeline: Sharp): Promise<Pixels> {
  const { data, info } = await pipeline.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

async function recompress(encoder: Sharp): Promise<Pixels> {
  return toPixels(sharp(await encoder.toBuffer()))
}

// ---------------------------------------------------------------- Geometry

/** Keeps `area` of the picture in its own proportions, at a random place. */
function crop(picture: Pixels, area: number, random: Random): Promise<Pixels> {
  const width = Math.max(1, Math.round(picture.width * Math.sqrt(area)))
  const height = Math.max(1, Math.round(picture.height * Math.sqrt(area)))
  const left = random.integer(picture.width - width + 1)
  const top = random.integer(picture.height - height + 1)
  return toPixels(fromPixels(picture).extract({ left, top, width, height }))
}

function resize(picture: Pixels, size: { scale: number } | { long: number }): Promise<Pixels> {
  const scale = 'scale' in size ? size.scale : size.long / Math.max(picture.width, picture.height)
  return resizeTo(picture, picture.width * scale, picture.height * scale)
}

function resizeTo(picture: Pixels, width: number, height: number): Promise<Pixels> {
  const to = { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) }
  return toPixels(fromPixels(picture).resize({ ...to, fit: 'fill', kernel: 'linear' }))
}

function pad(picture: Pixels, ofSide: number, fill: string): Promise<Pixels> {
  const x = Math.round(picture.width * ofSide)
  const y = Math.round(picture.height * ofSide)
  return toPixels(fromPixels(picture).extend({ left: x, right: x, top: y, bottom: y, background: fill }))
}

// ---------------------------------------------------------------- Values

function addNoise(picture: Pixels, sigma: number, random: Random): Pixels {
  const data = Buffer.allocUnsafe(picture.data.length)
  for (let at = 0; at < data.length; at++) data[at] = toByte(picture.data[at]! + sigma * random.normal())
  return { ...picture, data }
}

/** ITU-R BT.601 luma in all three channels. */
function grey(picture: Pixels): Pixels {
  const data = Buffer.allocUnsafe(picture.data.length)
  for (let at = 0; at < data.length; at += 3) {
    const luma = toByte(0.299 * picture.data[at]! + 0.587 * picture.data[at + 1]! + 0.114 * picture.data[at + 2]!)
    data.fill(luma, at, at + 3)
  }
  return { ...picture, data }
}

/** Maps every value through its channel's own function, clipped to a byte. */
function mapChannels(picture: Pixels, ofChannel: (channel: number) => (value: number) => number): Pixels {
  const tables = [0, 1, 2].map((channel) => Uint8Array.from({ length: 256 }, (_, value) => toByte(ofChannel(channel)(value))))
  const data = Buffer.allocUnsafe(picture.data.length)
  for (let at = 0; at < data.length; at++) data[at] = tables[at % 3]![picture.data[at]!]!
  return { ...picture, data }
}

/** Rounds each channel to `levels` values, evenly spaced from 0 to 255. */
function posterise(picture: Pixels, levels: number): Pixels {
  return mapChannels(picture, () => (value) => (Math.round((value / 255) * (levels - 1)) * 255) / (levels - 1))
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value)
}

// ---------------------------------------------------------------- Drawn over or around

/** An opaque rectangle of a random colour over `ofArea` of the picture; its sides differ by up to 1 : 2 from the picture's. */
function cover(picture: Pixels, ofArea: number, random: Random): Pixels {
  const { width, height } = picture
  const stretched = Math.min(2 ** (2 * random.next() - 1), 1 / ofArea)
  const boxWidth = Math.min(width, Math.round(width * Math.sqrt(ofArea * stretched)))
  const boxHeight = Math.min(height, Math.round((width * height * ofArea) / Math.max(1, boxWidth)))
  const left = random.integer(width - boxWidth + 1)
  const top = random.integer(height - boxHeight + 1)
  const fill = Buffer.from([random.integer(256), random.integer(256), random.integer(256)])
  const row = Buffer.alloc(boxWidth * 3, fill)
  const data = Buffer.from(picture.data)
  for (let y = top; y < top + boxHeight; y++) row.copy(data, (y * width + left) * 3)
  return { ...picture, data }
}

/** Lines of words in random colours: each line takes `lineHeight` of the picture's height and up to nine tenths of its width. */
function writeText(picture: Pixels, lines: number, lineHeight: number, random: Random): Promise<Pixels> {
  const { width, height } = picture
  const capital = height * lineHeight * 0.7
  const step = height * lineHeight * 1.25
  const top = random.next() * Math.max(0, height - step * lines)
  let drawn = ''
  for (let line = 0; line < lines; line++) {
    const text = randomWords(random, lettersIn(0.9 * width, capital))
    const x = random.next() * Math.max(0, width - textWidth(text, capital))
    const y = top + line * step + (step - capital) / 2
    drawn += textPath(text, { x, y, height: capital, colour: randomColour(random), weight: 0.2 })
  }
  return toPixels(fromPixels(picture).composite([{ input: svg(width, height, drawn) }]))
}

/**
 * The picture at full size in a light window `1 / ofWidth` times as wide: title bar above, side bar at
 * the left, lines of text beside the picture and below it.
 */
function screenshot(picture: Pixels, ofWidth: number, random: Random): Promise<Pixels> {
  const windowWidth = Math.max(picture.width, Math.round(picture.width / ofWidth))
  const spare = windowWidth - picture.width
  const unit = windowWidth / 100
  const bar = Math.round(5 * unit)
  const side = Math.round(spare * 0.6)
  const left = Math.round(side + (spare - side) / 2)
  const top = Math.round(bar + 3 * unit)
  const below = top + picture.height + 2.5 * unit
  const windowHeight = Math.round(below + 3 * 3.5 * unit)

  const capital = 1.5 * unit
  const line = (x: number, y: number, room: number, ink: string) => {
    const text = randomWords(random, lettersIn(room, capital))
    return textPath(text, { x, y, height: capital, colour: ink, weight: 0.15 })
  }
  let drawn = rectangle(0, 0, windowWidth, windowHeight, '#fbfbfc')
  drawn += rectangle(0, bar, side, windowHeight - bar, '#eceef1')
  for (let y = bar + 3 * unit; y < windowHeight - 3 * unit; y += 4 * unit) drawn += line(1.5 * unit, y, side - 3 * unit, '#5b6069')
  for (let row = 0; row < 3; row++) drawn += line(left, below + row * 3.5 * unit, picture.width, '#24272c')
  // Last, over whatever a long word left across its edge.
  drawn += rectangle(0, 0, windowWidth, bar, '#dfe2e6')
  for (const [index, ink] of ['#e5604d', '#e8b33f', '#5fb760'].entries()) {
    drawn += `<circle cx="${(2.5 + index * 2.5) * unit}" cy="${bar / 2}" r="${0.8 * unit}" fill="${ink}"/>`
  }
  drawn += line(windowWidth * 0.4, (bar - capital) / 2, windowWidth * 0.2, '#3b3f46')

  const window = sharp(svg(windowWidth, windowHeight, drawn))
  return toPixels(
    window.composite([{ input: picture.data, raw: { width: picture.width, height: picture.height, channels: 3 }, left, top }]),
  )
}

function randomColour(random: Random): string {
  return `rgb(${random.integer(256)},${random.integer(256)},${random.integer(256)})`
}

function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`
}

function svg(width: number, height: number, content: string): Buffer {
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`)
}
