import type { PhotoMetadata } from '../contract/index.ts'

/** Side of the encoder's square input, in pixels. */
export const ENCODER_PX = 112

/** All that the library keeps of a picture, from one read and one decode of its file. */
export interface IndexedPicture {
  /** SHA-256 of the file's bytes, hex. Two files with the same hash are one image. */
  contentHash: string
  /** SHA-256 of the upright thumbnail's pixels and the full size: unchanged by an edit of metadata only. */
  pixelHash: string
  bytes: number
  format: string
  /** Upright: EXIF orientation applied. */
  width: number
  height: number
  bitDepth: 8 | 16
  hasAlpha: boolean
  /** The ICC profile's description. */
  profile: string | null
  metadata: PhotoMetadata
  /** WebP, at most THUMBNAIL_PX on its long side, upright, sRGB. */
  thumbnail: { data: Uint8Array; width: number; height: number }
  /** RGB bytes, ENCODER_PX × ENCODER_PX × 3, the whole picture squashed, alpha flattened on mid-grey (128). */
  encoderInput: Uint8Array
  /** 64-bit DCT perceptual hash. */
  perceptualHash: bigint
}

/**
 * A decoded picture: interleaved samples in shared memory, upright, in the file's own colour space
 * (the embedded profile is not applied: its bytes travel in `tags` and are attached again on export).
 */
export interface Picture {
  /** Holds a Uint8Array (bitDepth 8) or Uint16Array (16), length width × height × channels. */
  buffer: SharedArrayBuffer
  width: number
  height: number
  /** 1 grey, 2 grey+alpha, 3 RGB, 4 RGB+alpha. */
  channels: 1 | 2 | 3 | 4
  bitDepth: 8 | 16
  format: string
  /** Raw metadata blocks of the file, as found. */
  tags: { icc?: Uint8Array; exif?: Uint8Array; xmp?: Uint8Array; iptc?: Uint8Array }
  /** Pixels an inch, where the file says so. */
  density?: number
  /** What only the file's own format holds: chunks or segments that are written back into a file of that format. */
  ownParts?: Uint8Array[]
  /** The samples were stored without loss, in a format that knows both ways. */
  lossless?: boolean
  /** The ICC profile's description. */
  profile: string | null
  /** What was changed in reading and a user should know (CMYK converted, only the first page…). */
  notes: string[]
}

/** A decoded picture whose samples have not been put into shared memory. */
export type DecodedPicture = Omit<Picture, 'buffer'> & { samples: Uint8Array }

/** What a picture's header tells. */
export interface PictureFacts extends Pick<Picture, 'format' | 'width' | 'height' | 'bitDepth'> {
  /** Of the samples as they are stored. */
  channels: number
}
