import type { PhotoMetadata } from '../contract/index.ts'
import { numberOf, numbersOf, readDirectory, readTagBlock, TAG, textOf, writeTagBlock, type Tag, type TagBlock } from './tiffTags.ts'

const NOTHING: PhotoMetadata = {
  takenAt: null,
  camera: null,
  lens: null,
  iso: null,
  exposure: null,
  aperture: null,
  focalLength: null,
  latitude: null,
  longitude: null,
}

/** What a photographer wants to know, out of an EXIF block. What is absent or malformed is null; never throws. */
export function photoMetadata(exif: Uint8Array | undefined): PhotoMetadata {
  const block = exif && readTagBlock(exif)
  if (!block) return { ...NOTHING }
  const shot = block.exif
  const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : null)
  return {
    takenAt: takenAt(block.image, shot),
    camera: camera(textOf(block.image, TAG.make), textOf(block.image, TAG.model)),
    lens: textOf(shot, TAG.lensModel) ?? null,
    iso: positive(numberOf(shot, TAG.iso)),
    exposure: positive(numberOf(shot, TAG.exposureTime)),
    aperture: positive(numberOf(shot, TAG.fNumber)),
    focalLength: positive(numberOf(shot, TAG.focalLength)),
    latitude: degrees(block.gps, 2, 'S', 90),
    longitude: degrees(block.gps, 4, 'W', 180),
  }
}

/** Most models repeat the maker's name. */
function camera(make: string | undefined, model: string | undefined): string | null {
  if (!make || !model) return model ?? make ?? null
  const [maker = make] = make.split(/\s/)
  return model.toLowerCase().startsWith(maker.toLowerCase()) ? model : `${make} ${model}`
}

/** Milliseconds since 1970. EXIF times are the camera's wall clock: without an offset they are taken in this machine's zone. */
function takenAt(image: readonly Tag[], shot: readonly Tag[]): number | null {
  const text = textOf(shot, TAG.dateTimeOriginal) ?? textOf(shot, TAG.dateTimeDigitized) ?? textOf(image, TAG.dateTime)
  const match = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text ?? '')
  if (!match) return null
  const [, year, month, day, hour, minute, second] = match
  const offset = /^[+-]\d\d:\d\d$/.exec(textOf(shot, TAG.offsetTimeOriginal) ?? '')?.[0] ?? ''
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`)
  return Number.isFinite(time) ? time : null
}

/** Degrees, minutes and seconds under `id`, their hemisphere under the tag before. */
function degrees(gps: readonly Tag[], id: number, negative: string, limit: number): number | null {
  const [degree, minute = 0, second = 0] = numbersOf(gps, id)
  const hemisphere = textOf(gps, id - 1)
  if (degree === undefined || hemisphere === undefined) return null
  const value = degree + (minute || 0) / 60 + (second || 0) / 3600
  if (!Number.isFinite(value) || value > limit) return null
  return hemisphere.toUpperCase() === negative ? -value : value
}

/** Tags of a TIFF file's first directory that describe the picture and not how it is stored. */
const DESCRIPTIVE = new Set([
  269 /* document */, 270 /* description */, 271, 272, 282 /* resolution x */, 283 /* y */, 285 /* page */, 296 /* unit */,
  305 /* software */, 306, 315 /* artist */, 316, 33432 /* copyright */,
])

/** An EXIF block out of a TIFF file, whose EXIF is spread over the file's own directories; undefined when it says nothing. */
export function exifOfTiff(file: Uint8Array): Uint8Array | undefined {
  const block = readTagBlock(file)
  return block && exifOfDirectories(block)
}

/** An EXIF block of these directories, of the first only what describes the picture; undefined when it says nothing. */
export function exifOfDirectories({ image, exif, gps }: Pick<TagBlock, 'image' | 'exif' | 'gps'>): Uint8Array | undefined {
  const described = descriptiveTags(image)
  const saysMore = described.some(({ id }) => id !== TAG.xResolution && id !== TAG.yResolution && id !== TAG.resolutionUnit)
  if (exif.length === 0 && gps.length === 0 && !saysMore) return undefined
  const { parts, first } = writeTagBlock({ image: described, exif, gps }, 8)
  const header = new Uint8Array([0x49, 0x49, 42, 0, 0, 0, 0, 0])
  new DataView(header.buffer).setUint32(4, first, true)
  return Buffer.concat([header, ...parts])
}

/** The EXIF block of a JPEG (CIPA DC-008, 4.7.2), or undefined. */
export function exifOfJpeg(jpeg: Uint8Array): Uint8Array | undefined {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  for (let at = 2; at + 10 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda /* SOS */; at += 2 + view.getUint16(at + 2)) {
    const payload = jpeg.subarray(at + 4, at + 2 + view.getUint16(at + 2))
    if (jpeg[at + 1] === 0xe1 && Buffer.from(payload.subarray(0, 6)).toString('latin1') === 'Exif\0\0') return payload.subarray(6)
  }
  return undefined
}

export function descriptiveTags(image: readonly Tag[]): Tag[] {
  return image.filter((tag) => DESCRIPTIVE.has(tag.id))
}

/**
 * The EXIF block for pixels that are upright already: orientation 1, the given size, and without the
 * embedded thumbnail, which shows the picture as it was. Everything else stays where it is, because
 * makers' notes hold offsets into the block. Undefined when the block cannot be read.
 */
export function uprightExif(exif: Uint8Array, width: number, height: number): Uint8Array | undefined {
  const block = readTagBlock(exif)
  if (!block) return undefined
  const bytes = new Uint8Array(exif)
  const view = new DataView(bytes.buffer)
  const set = (tag: Tag | undefined, value: number) => {
    if (tag?.type === 3 && tag.count === 1) view.setUint16(tag.at + 8, value, block.littleEndian)
    if (tag?.type === 4 && tag.count === 1) view.setUint32(tag.at + 8, value, block.littleEndian)
  }
  set(
    block.image.find((tag) => tag.id === TAG.orientation),
    1,
  )
  set(
    block.exif.find((tag) => tag.id === TAG.pixelWidth),
    width,
  )
  set(
    block.exif.find((tag) => tag.id === TAG.pixelHeight),
    height,
  )
  if (block.nextAt + 4 > bytes.length) return bytes
  const thumbnail = readDirectory(view, view.getUint32(block.nextAt, block.littleEndian), block.littleEndian)
  const start = thumbnail && numberOf(thumbnail.tags, TAG.thumbnailOffset)
  const length = thumbnail && numberOf(thumbnail.tags, TAG.thumbnailLength)
  view.setUint32(block.nextAt, 0, block.littleEndian)
  if (start === undefined || length === undefined || start < 8) return bytes
  // The thumbnail nearly always lies last; elsewhere it is blanked.
  if (start + length >= bytes.length) return bytes.subarray(0, start)
  bytes.fill(0, start, start + length)
  return bytes
}

/** The XMP packet with its own note of the orientation set to 1; the length is unchanged. */
export function uprightXmp(xmp: Uint8Array): Uint8Array {
  const text = Buffer.from(xmp).toString('latin1')
  return Buffer.from(
    text.replace(/(tiff:Orientation(?:="|='|>))[2-8]/g, (_, before: string) => `${before}1`),
    'latin1',
  )
}

/** Whether an XMP packet describes a gain map: Adobe's `hdrgm`, Apple's `HDRGainMap`. */
export function mentionsGainMap(xmp: Uint8Array | undefined): boolean {
  return xmp !== undefined && /hdrgm:Version|HDRGainMapVersion/.test(Buffer.from(xmp).toString('latin1'))
}

/**
 * The XMP packet without the description of a gain map that is not there any more, nor of the container's
 * other items (Adobe, "Gain Map Specification" 1.0; ISO 21496-1), nor the pointer to an extended packet.
 */
export function withoutGainMap(xmp: Uint8Array): Uint8Array {
  const text = Buffer.from(xmp).toString('latin1')
  const cleaned = text
    .replace(/<(hdrgm|HDRGainMap):(\w+)[\s>][^]*?<\/\1:\2>/g, '')
    .replace(/<Container:Directory[\s>][^]*?<\/Container:Directory>/g, '')
    .replace(/\s(hdrgm|HDRGainMap):\w+=("[^"]*"|'[^']*')/g, '')
    .replace(/\sxmpNote:HasExtendedXMP=("[^"]*"|'[^']*')/g, '')
    .replace(/<xmpNote:HasExtendedXMP>[^<]*<\/xmpNote:HasExtendedXMP>/g, '')
  return cleaned === text ? xmp : Buffer.from(cleaned, 'latin1')
}
