import type { PixelRect } from '$contract'
import { drawPart, type Size, type View } from './viewport.ts'

/** Chromium's limits for one canvas. */
const MAX_SIDE = 16_384
const MAX_PIXELS = 120e6
/** A level no larger than this is small enough for any view. */
const SMALLEST_SIDE = 512
/** Rows taken at once from a whole picture: a few milliseconds of drawing. */
const STRIP_ROWS = 256

/**
 * A picture held for drawing at any scale: a pyramid of canvases, each half as large as the one before.
 * What is shown small is drawn from a level at most twice too large, so plain bilinear sampling is
 * enough and a frame costs as much as the window has pixels, however large the picture is. Original
 * and result are both held this way: the same resampling is compared.
 */
export class PictureLayer {
  readonly size: Size
  #levels: HTMLCanvasElement[] = []
  /** Pixels of the first level for one of the picture; 1 but for enormous pictures. */
  #scale: number

  constructor(size: Size) {
    this.size = size
    this.#scale = Math.min(1, MAX_SIDE / Math.max(size.width, size.height), Math.sqrt(MAX_PIXELS / (size.width * size.height)))
    let width = Math.max(1, Math.round(size.width * this.#scale))
    let height = Math.max(1, Math.round(size.height * this.#scale))
    this.#levels.push(createCanvas(width, height))
    while (Math.max(width, height) > SMALLEST_SIDE) {
      width = Math.ceil(width / 2)
      height = Math.ceil(height / 2)
      this.#levels.push(createCanvas(width, height))
    }
  }

  /** Takes a picture of the whole, of any size, in strips: the interface goes on between them. */
  async fill(image: ImageBitmap): Promise<void> {
    const { width, height } = this.size
    const ratio = image.height / height
    for (let y = 0; y < height; y += STRIP_ROWS) {
      const rows = Math.min(STRIP_ROWS, height - y)
      this.put(
        image,
        { x: 0, y, width, height: rows },
        {
          from: { x: 0, y: y * ratio, width: image.width, height: rows * ratio },
        },
      )
      await new Promise((resolve) => setTimeout(resolve))
    }
  }

  /**
   * Puts a part of the picture in its place, in picture pixels, stretched over it: `from` is what lies there of
   * `image`, by default all. What is in the parts `except`, which do not overlap, stays as it is.
   */
  put(image: ImageBitmap, place: PixelRect, { from, except }: { from?: PixelRect; except?: Iterable<PixelRect> } = {}): void {
    const { x, y, width, height } = place
    const source = from ?? { x: 0, y: 0, width: image.width, height: image.height }
    const [whole, ...smaller] = this.#levels as [HTMLCanvasElement, ...HTMLCanvasElement[]]
    let left = x * this.#scale
    let top = y * this.#scale
    let right = (x + width) * this.#scale
    let bottom = (y + height) * this.#scale
    const drawing = context(whole)
    drawing.save()
    if (except) drawing.clip(this.#around(except), 'evenodd')
    drawing.drawImage(image, source.x, source.y, source.width, source.height, left, top, right - left, bottom - top)
    drawing.restore()

    let larger = whole
    for (const level of smaller) {
      // On whole pixels of this level: parts drawn at fractions of a pixel would leave seams.
      left = Math.floor(left / 2)
      top = Math.floor(top / 2)
      right = Math.min(level.width, Math.ceil(right / 2))
      bottom = Math.min(level.height, Math.ceil(bottom / 2))
      const [columns, rows] = [right - left, bottom - top]
      context(level).clearRect(left, top, columns, rows)
      context(level).drawImage(larger, left * 2, top * 2, columns * 2, rows * 2, left, top, columns, rows)
      larger = level
    }
  }

  /** All of the first level but these parts of the picture, for filling by the even-odd rule. */
  #around(parts: Iterable<PixelRect>): Path2D {
    const path = new Path2D()
    path.rect(0, 0, this.#levels[0]!.width, this.#levels[0]!.height)
    for (const { x, y, width, height } of parts) {
      path.rect(x * this.#scale, y * this.#scale, width * this.#scale, height * this.#scale)
    }
    return path
  }

  /** Draws what a window on `target` shows of the picture at `view`. */
  draw(target: CanvasRenderingContext2D, view: View, window: Size): void {
    const depth = Math.min(this.#levels.length - 1, Math.max(0, Math.floor(Math.log2(this.#scale / view.scale))))
    drawPart(target, this.#levels[depth]!, this.#scale / 2 ** depth, this.size, view, window)
  }
}

function createCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  return canvas
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext('2d')!
  // Halving bilinearly is averaging four pixels; more would only cost time.
  found.imageSmoothingQuality = 'low'
  return found
}

/** A picture of this origin, decoded off the window's thread. Throws when it cannot be fetched or decoded. */
export async function loadBitmap(url: string, signal?: AbortSignal): Promise<ImageBitmap> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`The engine answered ${response.status} for a part of the picture`)
  return createImageBitmap(await response.blob())
}
