import { exifOfDirectories } from '../exif.ts'
import { numberOf, readTagBlock, TAG } from '../tiffTags.ts'
import type { Range, RawFile } from './preview.ts'

/** Canon's boxes in `moov` (EXIF, thumbnail) and beside it (preview). */
const CANON = '85c0b687820f11e08111f4ce462b6a48'
const PREVIEW = 'eaf42b5e1c984b88b9fbb7dc406e4d16'
/** Between a preview box's identifier and its first inner box. */
const PREVIEW_HEAD = 8
/** A JPEG begins within so many bytes of its box, behind sizes that differ by version. */
const JPEG_WITHIN = 64

/** A box of ISO/IEC 14496-12, 4.2: where its content lies. */
interface Box {
  type: string
  start: number
  end: number
  /** It ends before what it lies in does. */
  isWhole: boolean
}

/**
 * Canon's CR3: boxes of the ISO base media file format. Previews are a JPEG track, a large and a small picture in
 * boxes of Canon's; EXIF is spread over TIFF blocks of one directory each (CMT1 the picture's, CMT2 EXIF, CMT4 GPS).
 * Layout after ExifTool (QuickTime.pm, Canon.pm) and Laurent Clévy's description; Canon has published none.
 */
export function readCr3(bytes: Uint8Array): RawFile | undefined {
  if (ascii(bytes, 4, 12) !== 'ftypcrx ') return undefined
  const top = boxesIn(bytes, 0, bytes.length)
  const moov = top.filter(({ type }) => type === 'moov').flatMap((box) => boxesIn(bytes, box.start, box.end))
  const canon = moov.filter(({ type }) => type === CANON).flatMap((box) => boxesIn(bytes, box.start, box.end))
  const previews = top.filter(({ type }) => type === PREVIEW).flatMap((box) => boxesIn(bytes, box.start + PREVIEW_HEAD, box.end))
  const block = (type: string) => {
    const box = canon.find((candidate) => candidate.type === type)
    return (box && readTagBlock(bytes.subarray(box.start, box.end))?.image) ?? []
  }
  const image = block('CMT1')
  return {
    format: 'cr3',
    ranges: [
      ...moov.filter(({ type }) => type === 'trak').flatMap((track) => firstSample(bytes, track)),
      ...[...previews, ...canon].filter(({ type }) => type === 'PRVW' || type === 'THMB').flatMap((box) => jpegIn(bytes, box)),
    ],
    isCut: top.some(({ isWhole }) => !isWhole),
    orientation: numberOf(image, TAG.orientation) ?? 1,
    exif: exifOfDirectories({ image, exif: block('CMT2'), gps: block('CMT4') }),
  }
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}

/** The boxes between two places; a `uuid` box goes by its identifier in hexadecimal. What is malformed ends the list. */
function boxesIn(bytes: Uint8Array, start: number, end: number): Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const boxes: Box[] = []
  for (let at = start; at + 8 <= end;) {
    const short = view.getUint32(at)
    let type = ascii(bytes, at + 4, at + 8)
    let head = short === 1 ? 16 : 8
    if (at + head > end) break
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short === 0 ? end - at : short
    if (type === 'uuid') {
      type = Buffer.from(bytes.subarray(at + head, at + head + 16)).toString('hex')
      head += 16
    }
    if (size < head) break
    // A track's or a preview's content may be cut off: what is left says so.
    boxes.push({ type, start: at + head, end: Math.min(at + size, end), isWhole: at + size <= end })
    at += size
  }
  return boxes
}

function boxAt(bytes: Uint8Array, box: Box, path: readonly string[]): Box | undefined {
  let found: Box | undefined = box
  for (const type of path) found = found && boxesIn(bytes, found.start, found.end).find((candidate) => candidate.type === type)
  return found
}

/** The first sample of a track (ISO/IEC 14496-12, 8.7.3 and 8.7.5): a JPEG track has one. */
function firstSample(bytes: Uint8Array, track: Box): Range[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const table = boxAt(bytes, track, ['mdia', 'minf', 'stbl'])
  const inner = table ? boxesIn(bytes, table.start, table.end) : []
  const box = (type: string, least: number) =>
    inner.find((candidate) => candidate.type === type && candidate.end - candidate.start >= least)
  const sizes = box('stsz', 12)
  const [far, near] = [box('co64', 16), box('stco', 12)]
  if (!sizes || (!far && !near)) return []
  const common = view.getUint32(sizes.start + 4)
  const length = common !== 0 ? common : sizes.end - sizes.start >= 16 ? view.getUint32(sizes.start + 12) : 0
  const start = far ? Number(view.getBigUint64(far.start + 8)) : view.getUint32(near!.start + 8)
  return [{ start, length }]
}

function jpegIn(bytes: Uint8Array, { start, end }: Box): Range[] {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(JPEG_WITHIN, end - start)).indexOf('ffd8ff', 0, 'hex')
  return at < 0 ? [] : [{ start: start + at, length: end - start - at }]
}
