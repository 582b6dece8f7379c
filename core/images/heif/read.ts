import sharp from 'sharp'
import { LucidexError } from '../../contract/errors.ts'
import { inSlices } from '../../slices.ts'
import { embedInPng } from '../embed.ts'
import { displayP3 } from '../icc.ts'
import { check, longAt, scoped, textAt, withPrimary, type Primary } from './lib.ts'

/**
 * HEIC by libheif and libde265 as WebAssembly. The library turns and mirrors as the file says (`irot`, `imir`), so
 * EXIF's orientation does not count (ISO/IEC 23008-12, annex A). Decoding blocks its thread: it belongs into a
 * decoder process.
 */

/** What a HEIC file's header says, and its samples when they are asked for. */
export interface HeifFile {
  /** Turned as the file says. */
  width: number
  height: number
  bitDepth: 8 | 16
  hasAlpha: boolean
  icc?: Uint8Array
  /** Begins with its TIFF header. */
  exif?: Uint8Array
  xmp?: Uint8Array
  /** Pictures that stand side by side, not thumbnails or maps. */
  pages: number
  /** Colours by code points that no profile here stands for, `primaries/transfer` (ITU-T H.273): they are taken for sRGB. */
  unknownColours?: string
  /** The samples as an uncompressed PNG with the profile: what sharp takes. Samples of 10 and 12 bits are scaled to 16. */
  toPng(): Promise<Uint8Array>
}

/** Reads the header. Errors: PICTURE_CORRUPT, PICTURE_TRUNCATED, PICTURE_TOO_LARGE, FORMAT_UNSUPPORTED. */
export async function openHeif(bytes: Uint8Array, path?: string): Promise<HeifFile> {
  const { colours, ...header } = await withPrimary(bytes, path, readHeader)
  const icc = colours.icc ?? (colours.isP3 ? await displayP3() : undefined)
  return { ...header, icc, unknownColours: colours.unknown, toPng: () => toPng(bytes, path, { ...header, icc }) }
}

function readHeader(primary: Primary) {
  const { lib, handle, context } = primary
  return {
    width: lib.heif_image_handle_get_width(handle),
    height: lib.heif_image_handle_get_height(handle),
    bitDepth: lib.heif_image_handle_get_luma_bits_per_pixel(handle) > 8 ? (16 as const) : (8 as const),
    hasAlpha: lib.heif_image_handle_has_alpha_channel(handle) !== 0,
    colours: readColours(primary),
    ...readMetadata(primary),
    pages: lib.heif_context_get_number_of_top_level_images(context),
  }
}

const fourCc = (text: string) => Buffer.from(text, 'latin1').readUInt32BE(0)

/** Code points of ITU-T H.273. 2 is "unspecified". */
const PRIMARIES = { srgb: [1, 2], p3: [12] }
/** BT.709, BT.601, sRGB and BT.2020's two: all shown as sRGB is. */
const TRANSFER_SDR = [1, 2, 6, 13, 14, 15]

function readColours({ lib, handle, path }: Primary): { icc?: Uint8Array; isP3?: boolean; unknown?: string } {
  const type = lib.heif_image_handle_get_color_profile_type(handle)
  return scoped(lib, (alloc) => {
    if (type === fourCc('prof') || type === fourCc('rICC')) {
      const size = lib.heif_image_handle_get_raw_color_profile_size(handle)
      const at = alloc(size)
      check(lib, path, (error) => lib.heif_image_handle_get_raw_color_profile(error, handle, at))
      return { icc: lib.heap.slice(at, at + size) }
    }
    if (type !== fourCc('nclx')) return {}
    const pointer = alloc(4)
    check(lib, path, (error) => lib.heif_image_handle_get_nclx_color_profile(error, handle, pointer))
    // struct heif_color_profile_nclx: version in a byte, padded; primaries; transfer; matrix …
    const profile = longAt(lib, pointer)
    const [primaries, transfer] = [longAt(lib, profile + 4), longAt(lib, profile + 8)]
    lib.heif_nclx_color_profile_free(profile)
    if (TRANSFER_SDR.includes(transfer) && PRIMARIES.srgb.includes(primaries)) return {}
    if (TRANSFER_SDR.includes(transfer) && PRIMARIES.p3.includes(primaries)) return { isP3: true }
    return { unknown: `${primaries}/${transfer}` }
  })
}

/** More blocks than any writer makes. */
const BLOCKS_MAX = 64

function readMetadata({ lib, handle, path }: Primary): Pick<HeifFile, 'exif' | 'xmp'> {
  return scoped(lib, (alloc) => {
    const found: Pick<HeifFile, 'exif' | 'xmp'> = {}
    const count = Math.min(lib.heif_image_handle_get_number_of_metadata_blocks(handle, 0), BLOCKS_MAX)
    const ids = alloc(4 * BLOCKS_MAX)
    lib.heif_image_handle_get_list_of_metadata_block_IDs(handle, 0, ids, count)
    for (let index = 0; index < count; index++) {
      const id = longAt(lib, ids + 4 * index)
      const isExif = textAt(lib, lib.heif_image_handle_get_metadata_type(handle, id)) === 'Exif'
      const isXmp = textAt(lib, lib.heif_image_handle_get_metadata_content_type(handle, id)) === 'application/rdf+xml'
      const size = lib.heif_image_handle_get_metadata_size(handle, id)
      if ((!isExif && !isXmp) || size === 0) continue
      const at = alloc(size)
      check(lib, path, (error) => lib.heif_image_handle_get_metadata(error, handle, id, at))
      const block = lib.heap.slice(at, at + size)
      if (isExif) found.exif = tiffOf(block)
      else found.xmp = block
    }
    return found
  })
}

/** An Exif item begins with how far behind that number its TIFF header lies (ISO/IEC 23008-12, A.2.1). */
function tiffOf(item: Uint8Array): Uint8Array | undefined {
  if (item.length < 4) return undefined
  const start = 4 + new DataView(item.buffer, item.byteOffset).getUint32(0)
  return start < item.length ? item.subarray(start) : undefined
}

const COLOUR_SPACE_RGB = 1
const CHANNEL_INTERLEAVED = 10
/** heif_chroma: interleaved RGB or RGBA, in bytes or in little-endian words. */
const CHROMA = { 8: { rgb: 10, rgba: 11 }, 16: { rgb: 14, rgba: 15 } }

type Layout = Pick<HeifFile, 'bitDepth' | 'hasAlpha' | 'icc'>

async function toPng(bytes: Uint8Array, path: string | undefined, layout: Layout): Promise<Uint8Array> {
  const { rows, width, height, bits } = await withPrimary(bytes, path, (primary) => decodeRows(primary, layout))
  const samples = layout.bitDepth === 8 ? rows : await scaledTo16(rows, bits)
  const png = await sharp(samples, { raw: { width, height, channels: layout.hasAlpha ? 4 : 3 }, limitInputPixels: false })
    .toColourspace(layout.bitDepth === 8 ? 'srgb' : 'rgb16')
    .png({ compressionLevel: 0 })
    .toBuffer()
  return layout.icc ? Buffer.concat(embedInPng(png, { icc: layout.icc }).parts) : png
}

/** The samples, row behind row. */
function decodeRows({ lib, handle, path }: Primary, { bitDepth, hasAlpha }: Layout) {
  return scoped(lib, (alloc) => {
    const pointer = alloc(4)
    const chroma = CHROMA[bitDepth][hasAlpha ? 'rgba' : 'rgb']
    check(lib, path, (error) => lib.heif_decode_image(error, handle, pointer, COLOUR_SPACE_RGB, chroma, 0))
    const image = longAt(lib, pointer)
    try {
      const [width, height] = [lib.heif_image_get_width(image, CHANNEL_INTERLEAVED), lib.heif_image_get_height(image, CHANNEL_INTERLEAVED)]
      const plane = lib.heif_image_get_plane_readonly(image, CHANNEL_INTERLEAVED, pointer)
      if (plane === 0 || width <= 0 || height <= 0)
        throw new LucidexError('PICTURE_CORRUPT', 'The picture is damaged: it has no samples', { path })
      const stride = longAt(lib, pointer)
      const length = width * (hasAlpha ? 4 : 3) * (bitDepth / 8)
      const rows = new Uint8Array(length * height)
      for (let y = 0; y < height; y++) rows.set(lib.heap.subarray(plane + y * stride, plane + y * stride + length), y * length)
      return { rows, width, height, bits: lib.heif_image_get_bits_per_pixel_range(image, CHANNEL_INTERLEAVED) }
    } finally {
      lib.heif_image_release(image)
    }
  })
}

/** Little-endian words of `bits` bits as words of 16: the highest bits repeated below, so that full stays full. */
async function scaledTo16(bytes: Uint8Array, bits: number): Promise<Uint16Array> {
  const samples = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  const [up, down] = [16 - bits, 2 * bits - 16]
  await inSlices(samples.length, (start, end) => {
    for (let index = start; index < end; index++) samples[index] = (samples[index]! << up) | (samples[index]! >> down)
  })
  return samples
}
