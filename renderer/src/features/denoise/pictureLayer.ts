import type { Size, View } from './viewport.ts'

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

  /** Takes a whole picture in strips, giving way to the interface between them. */
  async fill(image: ImageBitmap): Promise<void> {
    const { width, height } = this.size
    for (let y = 0; y < height; y += STRIP_ROWS) {
      this.put(image, 0, y, width, Math.min(STRIP_ROWS, height - y), y)
      await new Promise((resolve) => setTimeout(resolve))
    }
  }

  /** Puts a part of the picture in its place, in picture pixels. The part is what lies `sourceY` rows down in `image`. */
  put(image: ImageBitmap, x: number, y: number, width: number, height: number, sourceY = 0): void {
    const [whole, ...smaller] = this.#levels as [HTMLCanvasElement, ...HTMLCanvasElement[]]
    let left = x * this.#scale
    let top = y * this.#scale
    let right = (x + width) * this.#scale
    let bottom = (y + height) * this.#scale
    context(whole).drawImage(image, 0, sourceY, width, height, left, top, right - left, bottom - top)

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

  /** Draws what the window `width` × `height` of `target` shows of the picture at `view`. */
  draw(target: CanvasRenderingContext2D, view: View, width: number, height: number): void {
    const depth = Math.min(this.#levels.length - 1, Math.max(0, Math.floor(Math.log2(this.#scale / view.scale))))
    const own = this.#scale / 2 ** depth
    const left = Math.max(0, Math.floor(-view.x / view.scale))
    const top = Math.max(0, Math.floor(-view.y / view.scale))
    const right = Math.min(this.size.width, Math.ceil((width - view.x) / view.scale))
    const bottom = Math.min(this.size.height, Math.ceil((height - view.y) / view.scale))
    if (right <= left || bottom <= top) return
    target.drawImage(
      this.#levels[depth]!,
      left * own,
      top * own,
      (right - left) * own,
      (bottom - top) * own,
      view.x + left * view.scale,
      view.y + top * view.scale,
      (right - left) * view.scale,
      (bottom - top) * view.scale,
    )
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
