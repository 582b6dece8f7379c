import sharp from 'sharp'
import type { RgbPixels } from './frame.ts'
import { turnSamples, type Turn } from './turn.ts'

/** Long side in pixels of a library picture's miniature. */
export const MINIATURE_PX = 40
/** Long side of a query's: it is made as small as the part of a library picture it is compared with. */
export const QUERY_MINIATURE_PX = 64

/** A picture very small, in its own proportions: what is enough to tell whether two show the same thing at the same places. */
export interface Miniature {
  width: number
  height: number
  /** Luminance 0..255, row by row. */
  grey: Uint8Array
}

/** Of a thumbnail (encoded) or of samples. Errors: sharp's, when the bytes are no picture. */
export async function miniatureOf(picture: Uint8Array | RgbPixels, px: number): Promise<Miniature> {
  const pipeline =
    picture instanceof Uint8Array
      ? sharp(picture)
      : sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
  const { data, info } = await pipeline
    .flatten({ background: { r: 128, g: 128, b: 128 } })
    .greyscale()
    .resize(px, px, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, grey: data }
}

export function turnedMiniature({ width, height, grey }: Miniature, turn: Turn): Miniature {
  const { data, ...size } = turnSamples({ data: grey, width, height }, 1, turn)
  return { ...size, grey: data }
}
