import sharp from 'sharp'
import { LucidexError, mediaPath } from '../contract/index.ts'
import { readForQuery } from '../images/index.ts'
import { ENCODER_PX } from '../images/types.ts'
import type { Decoded, Inference } from '../inference/types.ts'
import type { Library } from '../library/types.ts'

export interface Reconstruction {
  picture: Decoded
  /** Root mean square difference from the picture itself at the same size, in 8-bit levels: 0 to 255. */
  error: number
}

/** What the decoder makes of a picture's descriptor, and how far that is from the picture (its encoder input). */
export async function reconstruct(
  descriptor: Float32Array,
  encoderInput: Uint8Array,
  { decode }: Pick<Inference, 'decode'>,
): Promise<Reconstruction> {
  const [picture] = await decode([descriptor])
  const { data, side } = picture!
  const original = await squashed(encoderInput, side)
  const squares = data.reduce((sum, value, at) => sum + (value - original[at]!) ** 2, 0)
  return { picture: picture!, error: Math.sqrt(squares / data.length) }
}

/** An encoder input at another size: RGB, side². */
export function squashed(encoderInput: Uint8Array, side: number): Promise<Uint8Array> {
  return sharp(encoderInput, { raw: { width: ENCODER_PX, height: ENCODER_PX, channels: 3 } })
    .resize(side, side, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer()
}

/** How many reconstructions are kept: those of a screen of pictures, some kilobytes each. */
const KEPT = 64

interface Sources {
  library: Pick<Library, 'descriptorOf' | 'thumbnail' | 'item'>
  inference: Pick<Inference, 'decode' | 'encoderHash'>
}

/** What the index sees of the library's pictures, made when asked for. */
export class Reconstructions {
  readonly #sources: Sources
  /** By URL. */
  readonly #made = new Map<string, Promise<{ png: Uint8Array; error: number }>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Errors: ITEM_NOT_FOUND, also for a picture that has no descriptor yet; MODEL_NOT_FOUND without a decoder. */
  async of(imageId: number): Promise<{ url: string; error: number; png: Uint8Array }> {
    const { library, inference } = this.#sources
    const url = mediaPath.reconstruction(imageId, library.item(imageId).contentHash, inference.encoderHash() ?? '')
    const known = this.#made.get(url)
    const making = known ?? this.#make(imageId)
    // The newest last; what failed is tried again.
    this.#made.delete(url)
    this.#made.set(url, making)
    making.catch(() => this.#made.delete(url))
    for (const oldest of this.#made.keys()) if (this.#made.size > KEPT) this.#made.delete(oldest)
    return { url, ...(await making) }
  }

  async #make(imageId: number): Promise<{ png: Uint8Array; error: number }> {
    const { library, inference } = this.#sources
    const descriptor = library.descriptorOf(imageId)
    const thumbnail = library.thumbnail(imageId)
    if (!descriptor || !thumbnail) throw new LucidexError('ITEM_NOT_FOUND', 'This picture has no descriptor yet')
    const { encoderInput } = await readForQuery(thumbnail)
    const { picture, error } = await reconstruct(descriptor, encoderInput, inference)
    const { data, side } = picture
    const png = await sharp(data, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer()
    return { png, error }
  }
}
