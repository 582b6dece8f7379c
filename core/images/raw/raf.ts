import type { RawFile } from './preview.ts'

/**
 * Fujifilm's RAF: a big-endian header that says at 84 where its JPEG begins and at 88 how long it is. EXIF and
 * orientation are the JPEG's own. Layout after LibRaw and ExifTool (FujiFilm.pm); Fujifilm has published none.
 */
export function readRaf(bytes: Uint8Array): RawFile | undefined {
  if (bytes.length < 92 || Buffer.from(bytes.subarray(0, 16)).toString('latin1') !== 'FUJIFILMCCD-RAW ') return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const range = { start: view.getUint32(84), length: view.getUint32(88) }
  return { format: 'raf', ranges: [range], isCut: false, orientation: 1, exif: undefined }
}
