import { CONFIDENCE_CELL, CONFIDENCE_SCALE } from '$contract'
import { drawPart, type Size, type View } from './viewport.ts'

/** The expected error, in 8-bit levels, at which the colours end. */
export const CONFIDENCE_TOP = 6
/** From nearly sure to doubtful. */
const SURE = [224, 176, 98] as const
const DOUBTFUL = [226, 62, 74] as const
const STRONGEST = 0.85

/** The colour of an expected error (root mean square, 8-bit levels): none where there is none, then amber, then red. Alpha 0..1. */
export function errorColour(levels: number): [red: number, green: number, blue: number, alpha: number] {
  const share = Math.min(1, levels / CONFIDENCE_TOP)
  const mixed = (index: 0 | 1 | 2) => Math.round(SURE[index] + (DOUBTFUL[index] - SURE[index]) * share)
  return [mixed(0), mixed(1), mixed(2), STRONGEST * share]
}

/** All the colours from no error to {@link CONFIDENCE_TOP}, as CSS has them. */
export function errorRamp(): string {
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const [red, green, blue, alpha] = errorColour(share * CONFIDENCE_TOP)
    return `rgb(${red} ${green} ${blue} / ${alpha.toFixed(2)})`
  })
  return `linear-gradient(to right, ${stops.join(', ')})`
}

/** How far the denoised picture is expected to be from the clean one, as colours to lie over it: one pixel for each cell of the engine's map. */
export class ConfidenceMap {
  readonly #size: Size
  readonly #canvas: HTMLCanvasElement
  /** False once a part came from a model that was not calibrated. */
  calibrated = true

  constructor(size: Size) {
    this.#size = size
    this.#canvas = createCanvas(Math.ceil(size.width / CONFIDENCE_CELL), Math.ceil(size.height / CONFIDENCE_CELL))
  }

  /** Takes a part of the map: grey values, where it lies in picture pixels. */
  put(image: ImageBitmap, x: number, y: number): void {
    const part = createCanvas(image.width, image.height)
    const context = part.getContext('2d', { willReadFrequently: true })!
    context.drawImage(image, 0, 0)
    const values = context.getImageData(0, 0, image.width, image.height)
    const { data } = values
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue, alpha] = errorColour(data[at]! / CONFIDENCE_SCALE)
      data[at] = red
      data[at + 1] = green
      data[at + 2] = blue
      data[at + 3] = alpha * 255
    }
    this.#canvas.getContext('2d')!.putImageData(values, Math.round(x / CONFIDENCE_CELL), Math.round(y / CONFIDENCE_CELL))
  }

  draw(target: CanvasRenderingContext2D, view: View, window: Size): void {
    drawPart(target, this.#canvas, 1 / CONFIDENCE_CELL, this.#size, view, window)
  }
}

function createCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  return canvas
}
