/**
 * Directories of tags as TIFF 6.0 lays them out, which EXIF blocks use as well (CIPA DC-008, 4.5).
 * Read from either byte order; kept and written little-endian.
 */
export interface Tag {
  id: number
  /** The field type of TIFF 6.0, 1..12; 13 is a directory's offset (TIFF Technical Note 1). */
  type: number
  count: number
  /** The values' bytes, little-endian. */
  data: Uint8Array
  /** Where the 12 bytes of the entry lie in the block that was read. */
  at: number
}

export interface TagBlock {
  littleEndian: boolean
  /** The first directory: the picture's own tags. */
  image: Tag[]
  exif: Tag[]
  gps: Tag[]
  /** Where the offset of the next directory (the embedded thumbnail's) is written. */
  nextAt: number
}

export const TAG = {
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  stripByteCounts: 279,
  subDirectories: 330,
  make: 271,
  model: 272,
  orientation: 274,
  exifDirectory: 34665,
  gpsDirectory: 34853,
  xResolution: 282,
  yResolution: 283,
  resolutionUnit: 296,
  dateTime: 306,
  thumbnailOffset: 513,
  thumbnailLength: 514,
  xmp: 700,
  iptc: 33723,
  icc: 34675,
  exposureTime: 33434,
  fNumber: 33437,
  iso: 34855,
  dateTimeOriginal: 36867,
  dateTimeDigitized: 36868,
  offsetTimeOriginal: 36881,
  subSecTimeOriginal: 37521,
  focalLength: 37386,
  pixelWidth: 40962,
  pixelHeight: 40963,
  makerNote: 37500,
  interoperability: 40965,
  lensModel: 42036,
  dngVersion: 50706,
} as const

/** Bytes of one value, by field type. */
const UNIT = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]
/** Bytes that are swapped as one: a rational is two longs. */
const WORD = [0, 1, 1, 2, 4, 4, 1, 1, 2, 4, 4, 4, 8, 4]

/** TIFF itself; then Panasonic's and Olympus' RAW files, which are TIFF but for this number. */
const MAGIC: ReadonlySet<number> = new Set([42, 0x55, 0x4f52, 0x5352])

/**
 * Reads the directories of a block that begins with a TIFF header. Entries that point outside are left
 * out; undefined when there is no first directory.
 */
export function readTagBlock(bytes: Uint8Array): TagBlock | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 14) return undefined
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return undefined
  const littleEndian = order === 0x4949
  if (!MAGIC.has(view.getUint16(2, littleEndian))) return undefined

  const first = readDirectory(view, view.getUint32(4, littleEndian), littleEndian)
  if (!first) return undefined
  const below = (id: number) => {
    const pointer = numberOf(first.tags, id)
    return (pointer !== undefined && readDirectory(view, pointer, littleEndian)?.tags) || []
  }
  return { littleEndian, image: first.tags, exif: below(TAG.exifDirectory), gps: below(TAG.gpsDirectory), nextAt: first.nextAt }
}

/** Undefined when it does not lie in the block. No more values are taken than the block has bytes: entries that share theirs are no one's. */
export function readDirectory(view: DataView, offset: number, littleEndian: boolean): { tags: Tag[]; nextAt: number } | undefined {
  if (offset < 8 || offset + 2 > view.byteLength) return undefined
  const count = view.getUint16(offset, littleEndian)
  const nextAt = offset + 2 + count * 12
  if (nextAt > view.byteLength) return undefined
  const tags: Tag[] = []
  let room = view.byteLength
  for (let at = offset + 2; at < nextAt; at += 12) {
    const type = view.getUint16(at + 2, littleEndian)
    const values = view.getUint32(at + 4, littleEndian)
    const size = (UNIT[type] ?? 0) * values
    if (size === 0) continue
    const start = size <= 4 ? at + 8 : view.getUint32(at + 8, littleEndian)
    if (start + size > view.byteLength || size > room) continue
    room -= size
    const data = littleEndianBytes(new Uint8Array(view.buffer, view.byteOffset + start, size), littleEndian ? 1 : WORD[type]!)
    tags.push({ id: view.getUint16(at, littleEndian), type, count: values, data, at })
  }
  return { tags, nextAt }
}

/** The words of `size` bytes turned round; the bytes themselves where there is nothing to turn. */
function littleEndianBytes(data: Uint8Array, size: number): Uint8Array {
  if (size === 1) return data
  const turned = data.slice()
  for (let start = 0; start < turned.length; start += size) turned.subarray(start, start + size).reverse()
  return turned
}

/** The numbers of a tag; rationals as quotients (NaN for 0/0). */
export function numbersOf(tags: readonly Tag[], id: number): number[] {
  const tag = tags.find((candidate) => candidate.id === id)
  if (!tag) return []
  const view = new DataView(tag.data.buffer, tag.data.byteOffset, tag.data.byteLength)
  return Array.from({ length: Math.min(tag.count, 16) }, (_, index) => {
    switch (tag.type) {
      case 1:
      case 7:
        return view.getUint8(index)
      case 3:
        return view.getUint16(index * 2, true)
      case 4:
      case 13:
        return view.getUint32(index * 4, true)
      case 5:
        return view.getUint32(index * 8, true) / view.getUint32(index * 8 + 4, true)
      case 8:
        return view.getInt16(index * 2, true)
      case 9:
        return view.getInt32(index * 4, true)
      case 10:
        return view.getInt32(index * 8, true) / view.getInt32(index * 8 + 4, true)
      default:
        return Number.NaN
    }
  })
}

export function numberOf(tags: readonly Tag[], id: number): number | undefined {
  const [value] = numbersOf(tags, id)
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

/** The text of an ASCII tag, without padding; undefined when empty. */
export function textOf(tags: readonly Tag[], id: number): string | undefined {
  const tag = tags.find((candidate) => candidate.id === id && candidate.type === 2)
  if (!tag) return undefined
  const text = Buffer.from(tag.data).toString('utf8')
  const end = text.indexOf('\0')
  return (end < 0 ? text : text.slice(0, end)).trim() || undefined
}

export function makeTag(id: number, type: number, data: Uint8Array): Tag {
  return { id, type, count: data.length / UNIT[type]!, data, at: 0 }
}

export function longTag(id: number, value: number): Tag {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setUint32(0, value, true)
  return makeTag(id, 4, data)
}

/** A directory's bytes for the absolute position `at`, the values that do not fit an entry behind it; even in length. */
export function writeDirectory(tags: readonly Tag[], at: number): Uint8Array {
  const sorted = tags.toSorted((a, b) => a.id - b.id)
  const even = (size: number) => size + (size & 1)
  const head = 2 + sorted.length * 12 + 4
  const size = head + sorted.reduce((sum, tag) => sum + (tag.data.length > 4 ? even(tag.data.length) : 0), 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, sorted.length, true)
  let end = head
  for (const [index, tag] of sorted.entries()) {
    const entry = 2 + index * 12
    view.setUint16(entry, tag.id, true)
    view.setUint16(entry + 2, tag.type, true)
    view.setUint32(entry + 4, tag.count, true)
    if (tag.data.length <= 4) {
      bytes.set(tag.data, entry + 8)
    } else {
      view.setUint32(entry + 8, at + end, true)
      bytes.set(tag.data, end)
      end += even(tag.data.length)
    }
  }
  return bytes
}

/**
 * The EXIF and GPS directories and, last, the first directory that points to them, for the absolute
 * position `at`. Answers the parts in order and where the first directory lies.
 */
export function writeTagBlock(block: Pick<TagBlock, 'image' | 'exif' | 'gps'>, at: number): { parts: Uint8Array[]; first: number } {
  const image = block.image.filter((tag) => tag.id !== TAG.exifDirectory && tag.id !== TAG.gpsDirectory)
  const parts: Uint8Array[] = []
  let end = at
  // The interoperability directory is left out: it says only that the file follows DCF.
  const exif = block.exif.filter((tag) => tag.id !== TAG.interoperability)
  for (const [pointer, tags] of [
    [TAG.exifDirectory, exif],
    [TAG.gpsDirectory, block.gps],
  ] as const) {
    if (tags.length === 0) continue
    const bytes = writeDirectory(tags, end)
    image.push(longTag(pointer, end))
    parts.push(bytes)
    end += bytes.length
  }
  parts.push(writeDirectory(image, end))
  return { parts, first: end }
}
