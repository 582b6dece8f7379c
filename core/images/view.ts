import sharp, { type Sharp } from 'sharp'
import { embedInPng } from './embed.ts'
import { isSrgb } from './icc.ts'
import { decode, openPicture } from './open.ts'
import { fromSamples } from './picture.ts'
import type { Picture } from './types.ts'

/** WebP's longest side. */
const WEBP_MAX = 16_383

/**
 * A picture for the screen: upright, sRGB, 8 bits, at most `maxPx` on its long side; JPEG, or WebP where
 * there is transparency. Without a limit it is made to be compared with, hence 4:4:4 and less loss.
 * Errors: those of readForIndex.
 */
export async function readView(input: string | Uint8Array, maxPx = Number.POSITIVE_INFINITY, name?: string): Promise<Uint8Array> {
  const picture = await openPicture(input, name)
  const { header, width, height } = picture
  const { data } = await decode(picture, { ignoreIcc: header.space !== 'cmyk' && isSrgb(header.icc) }, (pipeline) => {
    toDisplay(pipeline, header.depth !== 'uchar')
    const whole = Math.max(width, height) <= maxPx
    if (!whole) pipeline.resize(maxPx, maxPx, { fit: 'inside' })
    if (header.hasAlpha && Math.min(Math.max(width, height), maxPx) <= WEBP_MAX) return pipeline.webp({ quality: 90, effort: 2 })
    return pipeline.flatten({ background: '#ffffff' }).jpeg(whole ? { quality: 98, chromaSubsampling: '4:4:4' } : { quality: 88 })
  })
  return data
}

/** A rectangle of decoded samples for the screen: sRGB, 8 bits; JPEG of high quality, or lossless WebP where there is transparency. */
export async function encodeTile(picture: Picture, tile: { x: number; y: number; width: number; height: number }): Promise<Uint8Array> {
  const cut = fromSamples(picture).extract({ left: tile.x, top: tile.y, width: tile.width, height: tile.height })
  const display = isSrgb(picture.tags.icc)
    ? cut
    : sharp(Buffer.concat(embedInPng(await cut.png({ compressionLevel: 0 }).toBuffer(), { icc: picture.tags.icc! }).parts))
  toDisplay(display, picture.bitDepth === 16)
  const hasAlpha = picture.channels === 2 || picture.channels === 4
  return hasAlpha
    ? display.webp({ lossless: true, effort: 0 }).toBuffer()
    : display.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()
}

/** Values of one byte each as a lossless grey picture, row by row. */
export function encodeGrey(values: Uint8Array, width: number): Promise<Uint8Array> {
  return sharp(values, { raw: { width, height: values.length / width, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 3 })
    .toBuffer()
}

/** Deep samples are made 8-bit first: sharp would convert them to Display P3, not to sRGB. */
export function toDisplay(pipeline: Sharp, deep: boolean): void {
  if (deep) pipeline.pipelineColourspace('srgb')
  pipeline.toColourspace('srgb')
}
