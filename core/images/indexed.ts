import sharp from 'sharp'
import { LucidexError } from '../contract/errors.ts'
import type { Region } from '../contract/index.ts'
import { THUMBNAIL_PX } from '../contract/media.ts'
import { photoMetadata } from './exif.ts'
import { hashBytes } from './files.ts'
import { isSrgb, profileDescription } from './icc.ts'
import { decode, MAX_PIXELS, openPicture, type OpenedPicture } from './open.ts'
import { perceptualHash } from './perceptualHash.ts'
import { viewInputs, type SeenQuery } from './queryViews.ts'
import { ENCODER_PX, type IndexedPicture } from './types.ts'
import { toDisplay } from './view.ts'

/** How thumbnails are encoded: a greater effort takes longer for the same to look at. */
export const THUMBNAIL_WEBP = { quality: 80, effort: 1 } as const

/** Samples of the whole picture made small: upright, sRGB, 8 bits. */
interface Small {
  data: Buffer
  width: number
  height: number
  channels: 3 | 4
}

/**
 * Everything the library keeps of a picture: one read of its file and one decoding, shrunk while it is
 * decoded where the format can (JPEG, WebP). A malformed EXIF block leaves its fields null.
 *
 * Errors: FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_EMPTY, FILE_TOO_LARGE, FORMAT_UNKNOWN,
 * FORMAT_UNSUPPORTED, PICTURE_CORRUPT, PICTURE_TRUNCATED, PICTURE_TOO_LARGE.
 */
export async function readForIndex(input: string | Uint8Array, name?: string, maxPixels = MAX_PIXELS): Promise<IndexedPicture> {
  const picture = await openPicture(input, name)
  const pixels = picture.width * picture.height
  if (pixels > maxPixels) {
    const million = (count: number) => (count / 1e6).toFixed(1)
    throw new LucidexError('PICTURE_TOO_LARGE', `The picture has ${million(pixels)} megapixels, over the limit of ${million(maxPixels)}`, {
      path: picture.name,
    })
  }
  const [contentHash, small] = await Promise.all([hashBytes(picture.bytes), shrink(picture)])
  const { header, width, height } = picture
  const size = Buffer.from(`${width}x${height}x${small.channels}`)
  const [pixelHash, thumbnail, encoderInput] = await Promise.all([
    hashBytes(small.data, size),
    encodeThumbnail(small),
    encoderInputOf(small),
  ])
  return {
    contentHash,
    pixelHash,
    bytes: picture.bytes.length,
    format: picture.format,
    width,
    height,
    bitDepth: header.depth === 'uchar' || header.depth === 'char' ? 8 : 16,
    hasAlpha: header.hasAlpha,
    profile: profileDescription(header.icc),
    metadata: photoMetadata(picture.exif),
    thumbnail: { data: thumbnail, width: small.width, height: small.height },
    encoderInput,
    perceptualHash: perceptualHash(encoderInput, ENCODER_PX),
  }
}

export interface QueryPicture {
  /** SHA-256 of the file's bytes, hex. */
  contentHash: string
  /** Of the whole picture, upright. */
  width: number
  height: number
  /** Of the region, where one is given. */
  encoderInput: Uint8Array
  perceptualHash: bigint
}

/**
 * What a search needs of a picture or of a region of it (shares of the upright picture), made exactly
 * as {@link readForIndex} makes it. Errors: the same.
 */
export async function readForQuery(input: string | Uint8Array, region?: Region, name?: string): Promise<QueryPicture> {
  return (await readQuery(input, region, name)).picture
}

/** A query and what is seen of it. */
export interface SearchPicture extends QueryPicture {
  /** `whole` first. */
  views: SeenQuery[]
}

/** The same, and what the encoder gets to see of each of the query's views, `whole` first. Errors: the same. */
export async function readForSearch(input: string | Uint8Array, region?: Region, name?: string): Promise<SearchPicture> {
  const { picture, small } = await readQuery(input, region, name)
  const { data, info } = await flat(small).raw().toBuffer({ resolveWithObject: true })
  return { ...picture, views: await viewInputs({ data, width: info.width, height: info.height }, picture.encoderInput) }
}

async function readQuery(
  input: string | Uint8Array,
  region: Region | undefined,
  name: string | undefined,
): Promise<{ picture: QueryPicture; small: Small }> {
  const opened = await openPicture(input, name)
  const [contentHash, small] = await Promise.all([hashBytes(opened.bytes), shrink(opened, region)])
  const encoderInput = await encoderInputOf(small)
  const { width, height } = opened
  return { picture: { contentHash, width, height, encoderInput, perceptualHash: perceptualHash(encoderInput, ENCODER_PX) }, small }
}

async function shrink(picture: OpenedPicture, region?: Region): Promise<Small> {
  const { header } = picture
  const { data, info } = await decode(picture, { ignoreIcc: header.space !== 'cmyk' && isSrgb(header.icc) }, (pipeline) => {
    if (region) pipeline.extract(pixelsOf(region, picture))
    toDisplay(pipeline, header.depth !== 'uchar')
    return pipeline.resize(THUMBNAIL_PX, THUMBNAIL_PX, { fit: 'inside', withoutEnlargement: true }).raw({ depth: 'uchar' })
  })
  return { data, width: info.width, height: info.height, channels: info.channels as 3 | 4 }
}

/** The region in pixels, at least one, inside the picture. */
function pixelsOf(region: Region, { width, height }: { width: number; height: number }) {
  const left = Math.min(Math.floor(region.x * width), width - 1)
  const top = Math.min(Math.floor(region.y * height), height - 1)
  return {
    left,
    top,
    width: Math.min(Math.max(1, Math.round(region.width * width)), width - left),
    height: Math.min(Math.max(1, Math.round(region.height * height)), height - top),
  }
}

function raw({ data, width, height, channels }: Small) {
  return sharp(data, { raw: { width, height, channels } })
}

function encodeThumbnail(small: Small): Promise<Uint8Array> {
  return raw(small).webp(THUMBNAIL_WEBP).toBuffer()
}

/** Alpha laid on mid-grey. */
function flat(small: Small) {
  return raw(small).flatten({ background: { r: 128, g: 128, b: 128 } })
}

/** ENCODER_PX² RGB: flattened, then squashed with an antialiasing filter. */
async function encoderInputOf(small: Small): Promise<Uint8Array> {
  return flat(small).resize(ENCODER_PX, ENCODER_PX, { fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer()
}
