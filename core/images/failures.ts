import { LucidexError } from '../contract/errors.ts'
import type { SharpFormat } from './formats.ts'

/** A file-system failure of reading `path` as a {@link LucidexError}. */
export function readFailure(thrown: unknown, path: string): LucidexError {
  if (thrown instanceof LucidexError) return thrown
  const code = (thrown as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return new LucidexError('FILE_NOT_FOUND', 'The file is not there', { path, cause: thrown })
  if (code === 'EACCES' || code === 'EPERM')
    return new LucidexError('FILE_NOT_READABLE', 'No permission to read the file', { path, cause: thrown })
  return new LucidexError('FILE_NOT_READABLE', `The file cannot be read: ${(thrown as Error).message}`, { path, cause: thrown })
}

/** A file-system failure of writing `path` as a {@link LucidexError}. */
export function writeFailure(thrown: unknown, path: string): LucidexError {
  if (thrown instanceof LucidexError) return thrown
  const code = (thrown as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') return new LucidexError('DISK_FULL', 'No room left on the disk', { path, cause: thrown })
  if (code === 'EEXIST') return new LucidexError('FILE_EXISTS', 'The file is there already', { path, cause: thrown })
  return new LucidexError('FILE_NOT_WRITABLE', `The file cannot be written: ${(thrown as Error).message}`, { path, cause: thrown })
}

/**
 * What the decoder said about `bytes`, as a {@link LucidexError}: PICTURE_TOO_LARGE, PICTURE_TRUNCATED,
 * or PICTURE_CORRUPT. The decoders word a truncation differently or not at all, and several at work mix
 * their messages up, so the container's own lengths are looked at as well.
 */
export function decodeFailure(thrown: unknown, bytes: Uint8Array, format: SharpFormat, path: string | undefined): LucidexError {
  if (thrown instanceof LucidexError) return thrown
  const message = (thrown as Error).message
  const extra = { path, cause: thrown }
  if (/exceeds pixel limit/i.test(message)) return new LucidexError('PICTURE_TOO_LARGE', 'The picture has too many pixels', extra)
  if (/premature end|unexpected end|bad seek|got \d+ bytes, expected/i.test(message) || endsEarly(bytes, format)) {
    return new LucidexError('PICTURE_TRUNCATED', 'The picture is cut short', extra)
  }
  const [reason = ''] = message.split('\n').filter((line) => line !== '')
  return new LucidexError('PICTURE_CORRUPT', `The picture is damaged: ${reason}`, extra)
}

/** Whether the container announces more bytes than there are. */
function endsEarly(bytes: Uint8Array, format: SharpFormat): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 16) return true
  switch (format) {
    case 'png': {
      let at = 8
      while (at + 12 <= bytes.length) {
        if (view.getUint32(at + 4) === 0x49454e44 /* IEND */) return false
        at += 12 + view.getUint32(at)
      }
      return true
    }
    case 'webp':
      return view.getUint32(4, true) + 8 > bytes.length
    case 'tiff': {
      // Classic TIFF: the first directory, 12 bytes an entry, reaches beyond the end.
      const littleEndian = bytes[0] === 0x49
      const directory = view.getUint32(4, littleEndian)
      return directory + 2 > bytes.length || directory + 2 + view.getUint16(directory, littleEndian) * 12 + 4 > bytes.length
    }
    case 'avif': {
      // Boxes that begin with their size (ISO/IEC 14496-12, 4.2).
      let at = 0
      while (at + 8 <= bytes.length && view.getUint32(at) >= 8) at += view.getUint32(at)
      return at > bytes.length
    }
    case 'jpeg': {
      // No end-of-image marker behind the header, whose thumbnail may have one of its own (ITU-T T.81, B.1.1).
      let at = 2
      while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda /* SOS */) at += 2 + view.getUint16(at + 2)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf('ffd9', undefined, 'hex') < at
    }
    case 'gif':
      return bytes[bytes.length - 1] !== 0x3b
    default:
      return false
  }
}
