import type { MixWeights } from '$contract'
import { mix, showDifference, showGround, showRemoved } from './compose.ts'
import type { ConfidenceMap } from './confidenceMap.ts'
import type { PictureLayer } from './pictureLayer.ts'
import { PIXELATED_SCALE, type Size, type View } from './viewport.ts'

export type Showing = 'original' | 'result' | 'removed' | 'difference' | 'confidence'

/** Everything that a frame is made of. */
export interface Scene {
  original: PictureLayer
  denoised: PictureLayer
  weights: MixWeights
  /** Amplification of what was removed. */
  gain: number
  confidence: ConfidenceMap | null
}

/** Where a frame goes: `left` of the target, as large as `size`, of which only the columns `from` to `to` are painted. Device pixels. */
export interface Place {
  left: number
  size: Size
  from: number
  to: number
}

/**
 * Paints a picture as it was, as it will be, or what lies between. Original and result are drawn at the
 * size of the window first, so a frame costs what the window has pixels, however large the picture is.
 */
export class Painter {
  readonly #before = createContext()
  readonly #after = createContext()

  paint(target: CanvasRenderingContext2D, scene: Scene, showing: Showing, view: View, { left, size, from, to }: Place): void {
    const width = to - from
    if (width <= 0) return
    const window = { width, height: size.height }
    const shifted = { ...view, x: view.x - from }
    target.save()
    target.beginPath()
    target.rect(left + from, 0, width, size.height)
    target.clip()
    target.translate(left + from, 0)
    // Over this scale pixels are judged: they stay squares.
    target.imageSmoothingEnabled = view.scale <= PIXELATED_SCALE
    target.imageSmoothingQuality = 'low'
    if (showing === 'original') scene.original.draw(target, shifted, window)
    else if (showing === 'result' && scene.weights.luma === 0) {
      // Without texture recovery the mix is what opacity does.
      scene.original.draw(target, shifted, window)
      target.globalAlpha = scene.weights.removed
      scene.denoised.draw(target, shifted, window)
    } else {
      target.drawImage(this.#compose(scene, showing, shifted, window), 0, 0)
      target.imageSmoothingEnabled = true
      if (showing === 'confidence') scene.confidence?.draw(target, shifted, window)
    }
    target.restore()
  }

  #compose(scene: Scene, showing: Showing, view: View, window: Size): HTMLCanvasElement {
    const original = read(this.#before, scene.original, view, window)
    const denoised = read(this.#after, scene.denoised, view, window)
    const mixed = new ImageData(window.width, window.height)
    mix(mixed.data, original.data, denoised.data, scene.weights)
    if (showing === 'removed') showRemoved(mixed.data, original.data, denoised.data, scene.gain)
    else if (showing === 'difference') showDifference(mixed.data, original.data, denoised.data, scene.gain)
    else if (showing === 'confidence') showGround(mixed.data)
    this.#after.putImageData(mixed, 0, 0)
    return this.#after.canvas
  }
}

function createContext(): CanvasRenderingContext2D {
  return document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
}

/** The pixels of a layer as the window shows them. */
function read(context: CanvasRenderingContext2D, layer: PictureLayer, view: View, { width, height }: Size): ImageData {
  // Setting a canvas's size clears it.
  context.canvas.width = width
  context.canvas.height = height
  context.imageSmoothingEnabled = view.scale <= PIXELATED_SCALE
  context.imageSmoothingQuality = 'low'
  layer.draw(context, view, { width, height })
  return context.getImageData(0, 0, width, height)
}
