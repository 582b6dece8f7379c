import sharp from 'sharp'
import type { RgbPixels } from './frame.ts'

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

/** Left and right exchanged if `mirrored`, then turned by quarters clockwise. */
export function turnedMiniature({ width, height, grey }: Miniature, mirrored: boolean, turns: 0 | 1 | 2 | 3): Miniature {
  const sideways = turns % 2 === 1
  const result = { width: sideways ? height : width, height: sideways ? width : height, grey: new Uint8Array(grey.length) }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = mirrored ? width - 1 - x : x
      const [toX, toY] =
        turns === 0
          ? [column, y]
          : turns === 1
            ? [height - 1 - y, column]
            : turns === 2
              ? [width - 1 - column, height - 1 - y]
              : [y, width - 1 - column]
      result.grey[toY * result.width + toX] = grey[y * width + x]!
    }
  }
  return result
}
