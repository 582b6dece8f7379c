/**
 * About two hundred pictures painted by code, so that the demo, the screenshots and the end-to-end tests
 * need no download and carry no one's rights. Sceneries, textures, still lifes, pages, charts: told apart
 * by what they show, with the look, sizes, formats and dates of a real folder of pictures.
 */
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import sharp from 'sharp'
import { createRandom, seedFrom, type Random } from '../../core/random.ts'
import { between, pick, type Painting, type Scene } from './paint.ts'
import { chart, page, pattern } from './scenes/drawn.ts'
import { balloons, clouds, dunes, meadow, mountains, sea } from './scenes/landscapes.ts'
import { blossom, forest, leaf, portrait } from './scenes/nature.ts'
import { bokeh, city, stars } from './scenes/night.ts'
import { stillLife } from './scenes/objects.ts'
import { bricks, cobbles, fabric, marble, wood } from './scenes/textures.ts'

interface Kind {
  folder: string
  name: string
  scene: Scene
  /** Taken with a camera: JPEG mostly, with EXIF. Else drawn: PNG or WebP. */
  photo: boolean
  upright?: boolean
}

const KINDS: readonly Kind[] = [
  { folder: 'Landscapes', name: 'mountains', scene: mountains, photo: true },
  { folder: 'Landscapes', name: 'sea', scene: sea, photo: true },
  { folder: 'Landscapes', name: 'dunes', scene: dunes, photo: true },
  { folder: 'Landscapes', name: 'meadow', scene: meadow, photo: true },
  { folder: 'Landscapes', name: 'balloons', scene: balloons, photo: true },
  { folder: 'Landscapes', name: 'clouds', scene: clouds, photo: true },
  { folder: 'Nature', name: 'forest', scene: forest, photo: true },
  { folder: 'Nature', name: 'leaf', scene: leaf, photo: true },
  { folder: 'Nature', name: 'blossom', scene: blossom, photo: true },
  { folder: 'Night', name: 'city', scene: city, photo: true },
  { folder: 'Night', name: 'stars', scene: stars, photo: true },
  { folder: 'Night', name: 'lights', scene: bokeh, photo: true },
  { folder: 'Studio', name: 'still-life', scene: stillLife, photo: true },
  { folder: 'Studio', name: 'portrait', scene: portrait, photo: true, upright: true },
  { folder: 'Textures', name: 'wood', scene: wood, photo: true },
  { folder: 'Textures', name: 'bricks', scene: bricks, photo: true },
  { folder: 'Textures', name: 'cobbles', scene: cobbles, photo: true },
  { folder: 'Textures', name: 'fabric', scene: fabric, photo: true },
  { folder: 'Textures', name: 'marble', scene: marble, photo: true },
  { folder: 'Documents', name: 'page', scene: page, photo: true, upright: true },
  { folder: 'Documents', name: 'chart', scene: chart, photo: false },
  { folder: 'Documents', name: 'pattern', scene: pattern, photo: false },
]

const SIZES = [
  [960, 640],
  [1080, 720],
  [1024, 768],
  [900, 600],
  [1000, 750],
  [1200, 675],
  [800, 800],
] as const

const CAMERAS = [
  ['Aperta', 'Aperta R2', 'Aperta 24-70mm f/2.8'],
  ['Corvid', 'Corvid M10', 'Corvid 35mm f/1.8'],
  ['Corvid', 'Corvid M7', 'Corvid 16-80mm f/4'],
] as const

export interface DemoPicture {
  /** Where it goes, relative to the folder of all of them. */
  file: string
  kind: string
  width: number
  height: number
  format: 'jpeg' | 'png' | 'webp' | 'tiff'
  /** Seeds the painting. */
  seed: number
  exif?: { make: string; model: string; lens: string; taken: string; iso: number; exposure: string; aperture: string; focalLength: string }
}

/** What there is to paint: names, sizes, formats and dates. The same seed gives the same list. */
export function planPictures(count = 200, seed = 20261121): DemoPicture[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length]!
    const random = createRandom(seedFrom(seed, index))
    const [long, short] = pick(random, SIZES)
    const upright = kind.upright || (kind.photo && random.next() < 0.18)
    const format = formatOf(kind, index, random)
    const number = String(Math.floor(index / KINDS.length) + 1).padStart(2, '0')
    return {
      file: path.join(kind.folder, `${kind.name}-${number}.${{ jpeg: 'jpg', png: 'png', webp: 'webp', tiff: 'tif' }[format]}`),
      kind: kind.name,
      width: upright ? short : long,
      height: upright ? long : short,
      format,
      seed: seedFrom(seed, index, 1),
      ...(kind.photo && format !== 'png' && { exif: exifOf(random) }),
    }
  })
}

function formatOf(kind: Kind, index: number, random: Random): DemoPicture['format'] {
  if (!kind.photo) return random.next() < 0.7 ? 'png' : 'webp'
  if (index % 29 === 17) return 'tiff'
  return random.next() < 0.88 ? 'jpeg' : 'webp'
}

function exifOf(random: Random): NonNullable<DemoPicture['exif']> {
  const [make, model, lens] = pick(random, CAMERAS)
  const two = (value: number) => String(value).padStart(2, '0')
  const taken = `${2019 + random.integer(7)}:${two(1 + random.integer(12))}:${two(1 + random.integer(28))} ${two(6 + random.integer(16))}:${two(random.integer(60))}:${two(random.integer(60))}`
  return {
    make,
    model,
    lens,
    taken,
    iso: 100 * 2 ** random.integer(6),
    exposure: `1/${pick(random, [30, 60, 125, 250, 500, 1000])}`,
    aperture: `${pick(random, [18, 28, 40, 56, 80, 110])}/10`,
    focalLength: `${Math.round(between(random, 16, 80))}/1`,
  }
}

/** The encoded picture. The same plan gives the same bytes with the same sharp. */
export async function paintPicture(picture: DemoPicture): Promise<Buffer> {
  const { width, height, format, exif } = picture
  const random = createRandom(picture.seed)
  const { scene } = KINDS.find(({ name }) => name === picture.kind)!
  const { canvas, overlay }: Painting = scene(random, width, height)
  const raw = { width, height, channels: 3 } as const

  let image = format === 'tiff' ? sharp(canvas.toWords(), { raw }) : sharp(canvas.toBytes(random), { raw })
  if (overlay !== undefined && overlay !== '') {
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${overlay}</svg>`
    image = image.composite([{ input: Buffer.from(drawing) }])
  }
  image = image.removeAlpha()
  if (exif) {
    image = image.withExif({
      IFD0: { Make: exif.make, Model: exif.model, DateTime: exif.taken, Software: 'Lucidex demo' },
      IFD2: {
        DateTimeOriginal: exif.taken,
        ExposureTime: exif.exposure,
        FNumber: exif.aperture,
        ISOSpeedRatings: String(exif.iso),
        FocalLength: exif.focalLength,
        LensModel: exif.lens,
      },
    })
  }
  if (format === 'jpeg') return image.withIccProfile('srgb').jpeg({ quality: 90 }).toBuffer()
  if (format === 'webp') return image.webp({ quality: 88, effort: 2 }).toBuffer()
  if (format === 'png') return image.png({ compressionLevel: 6 }).toBuffer()
  return image.toColourspace('rgb16').tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer()
}

/**
 * Paints what is missing of the plan into `folder`, in as many threads as there are cores, and answers
 * with the pictures' paths. `onPicture` is told how many are there after each one.
 */
export async function drawPictures(
  folder: string,
  options: { count?: number; seed?: number; onPicture?: (done: number, total: number) => void } = {},
): Promise<string[]> {
  const plan = planPictures(options.count, options.seed)
  const present = new Set(await readdir(folder, { recursive: true }).catch(() => []))
  const missing = plan.filter(({ file }) => !present.has(file))
  let done = plan.length - missing.length

  const queue = missing.values()
  const threads = Math.min(missing.length, availableParallelism(), 8)
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const painter = new Worker(new URL('painter.ts', import.meta.url))
      try {
        for (const picture of queue) {
          painter.postMessage({ picture, folder })
          await once(painter, 'message')
          options.onPicture?.(++done, plan.length)
        }
      } finally {
        await painter.terminate()
      }
    }),
  )
  return plan.map(({ file }) => path.join(folder, file))
}
