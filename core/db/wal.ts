import { closeSync, existsSync, openSync, readSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/**
 * Whether a write-ahead log has a frame that belongs to it and whose checksum is wrong, or a header that is.
 * SQLite reads a log up to the first such frame and silently leaves out what follows; where some of that was
 * in the database already, that makes a state that never was. The end of a log that a power cut tore looks
 * the same: it is reason to look closer, no proof. (sqlite.org/fileformat2.html, "The Write-Ahead Log")
 */
export function isLogSuspect(log: string): boolean {
  if (!existsSync(log)) return false
  const file = openSync(log, 'r')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    if (readSync(file, header) < HEADER_BYTES) return false
    const magic = header.readUInt32BE(0)
    if ((magic | 1) !== 0x377f0683) return true
    const littleEndian = (magic & 1) === 0
    const pageSize = header.readUInt32BE(8)
    let sum: Sum = add([0, 0], header.subarray(0, 24), littleEndian)
    if (!agrees(sum, header, 24) || pageSize < 512 || pageSize > 65536) return true

    const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize)
    for (let whole = true; readSync(file, frame) === frame.length;) {
      // Frames of an earlier round of the log lie behind its end.
      if (frame.compare(header, 16, 24, 8, 16) !== 0) {
        whole = false
        continue
      }
      if (!whole) return true
      sum = add(add(sum, frame.subarray(0, 8), littleEndian), frame.subarray(FRAME_HEADER_BYTES), littleEndian)
      if (!agrees(sum, frame, 16)) return true
    }
    return false
  } finally {
    closeSync(file)
  }
}

type Sum = [number, number]

/** The log's checksum, carried on over `bytes`: two sums over pairs of 32-bit words. */
function add([a, b]: Sum, bytes: Buffer, littleEndian: boolean): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) >>> 0
    b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0
  }
  return [a, b]
}

function agrees([a, b]: Sum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b
}
