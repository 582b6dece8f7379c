/** What a preview's own header tells. */
export interface JpegHeader {
  width: number
  height: number
  /** It has an EXIF block, which may say how it is turned. */
  hasExif: boolean
}

/** Baseline, extended and progressive frames (ITU-T T.81, table B.1): what is no preview is lossless, as sensor data are. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2])
const START_OF_SCAN = 0xda
const APP1 = 0xe1

/** Reads the segments up to the frame header; undefined when this is no JPEG that shows a picture. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let hasExif = false
  let at = 2
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!
    // Fill bytes (B.1.1.2).
    if (marker === 0xff) {
      at++
      continue
    }
    if (FRAMES.has(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)]
      return width > 0 && height > 0 ? { width, height, hasExif } : undefined
    }
    if (marker === START_OF_SCAN) return undefined
    if (marker === APP1 && Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1') === 'Exif') hasExif = true
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}
