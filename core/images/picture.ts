import sharp from 'sharp'
import { LucidexError } from '../contract/errors.ts'
import { inSlices } from '../slices.ts'
import { profileDescription, profileSpace } from './icc.ts'
import { ownParts, rawProfile } from './ownParts.ts'
import { mentionsGainMap, withoutGainMap } from './exif.ts'
import { decode, openPicture, type OpenedPicture } from './open.ts'
import type { DecodedPicture, Picture } from './types.ts'

/** Pictures beyond this many pixels are not denoised: decoded and doubled they would not fit beside each other. */
export const MAX_DENOISE_PIXELS = 160_000_000

/** The samples of a picture, as its bit depth says. */
export function samplesOf(picture: Pick<Picture, 'buffer' | 'bitDepth'>): Uint8Array | Uint16Array {
  return picture.bitDepth === 8 ? new Uint8Array(picture.buffer) : new Uint16Array(picture.buffer)
}

/**
 * Decodes a whole picture: upright, at its own depth (8 or 16 bits), grey staying grey, in its own
 * colour space (the profile is kept, not applied). CMYK and Lab become sRGB, of several pages the first
 * is taken; both are said in the notes. Samples of 10 and 12 bits arrive scaled to 16.
 *
 * Errors: those of {@link readForIndex}, and FORMAT_UNSUPPORTED for floating-point samples or more than
 * four channels.
 */
export async function readPicture(input: string | Uint8Array, name?: string): Promise<Picture> {
  return readOpened(await openPicture(input, name))
}

async function readOpened(opened: OpenedPicture): Promise<Picture> {
  const { samples, ...facts } = await decodeOpened(opened)
  const buffer = new SharedArrayBuffer(samples.length)
  const target = new Uint8Array(buffer)
  await inSlices(samples.length, (start, end) => target.set(samples.subarray(start, end), start), 2 * 2 ** 20)
  return { ...facts, buffer }
}

/** The same of a picture whose file was read already, its samples in ordinary memory. */
export async function decodeOpened(opened: OpenedPicture): Promise<DecodedPicture> {
  const { header, width, height } = opened
  if (width * height > MAX_DENOISE_PIXELS) {
    throw new LucidexError('PICTURE_TOO_LARGE', `The picture has ${width} × ${height} pixels, over the limit of ${MAX_DENOISE_PIXELS}`, {
      path: opened.name,
    })
  }
  const bitDepth = depthOf(opened)
  const notes = [...opened.notes]
  if ((header.pages ?? 1) > 1)
    notes.push(`Only the first of ${header.pages} ${opened.format === 'gif' || opened.format === 'webp' ? 'frames' : 'pages'} is taken.`)
  const own = ownParts(opened.bytes, opened.format)
  const gainMap = header.gainMap !== undefined || mentionsGainMap(header.xmp)
  if (gainMap) notes.push('The HDR gain map is left out: the result is the standard picture.')
  else if (own.morePictures) notes.push('The file’s further pictures (previews or an HDR gain map) are left out.')
  if (header.xmp && /HasExtendedXMP/.test(Buffer.from(header.xmp).toString('latin1')))
    notes.push('The extended part of the XMP is left out.')

  const grey = header.space === 'b-w' || header.space === 'grey16'
  const plain = grey || header.space === 'srgb' || header.space === 'rgb' || header.space === 'rgb16'
  if (!plain) notes.push(`${header.space === 'cmyk' ? 'CMYK' : `The colour space ${header.space}`} is converted to sRGB.`)
  const channels = ((grey ? 1 : 3) + (header.hasAlpha ? 1 : 0)) as Picture['channels']

  // Of 8-bit grey with alpha, raw output would drop the alpha: it is decoded as RGBA, which repeats the grey exactly.
  const viaRgb = channels === 2 && bitDepth === 8
  const space = bitDepth === 16 ? (grey ? 'grey16' : 'rgb16') : grey && !viaRgb ? 'b-w' : 'srgb'
  const { data, info } = await decode(opened, { ignoreIcc: plain }, (pipeline) =>
    pipeline.toColourspace(space).raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' }),
  )
  if (info.channels !== (viaRgb ? 4 : channels)) {
    throw new LucidexError('FORMAT_UNSUPPORTED', `Pictures with ${info.channels} channels are not denoised`, { path: opened.name })
  }

  const samples = viaRgb ? await withoutRepeatedGrey(data) : data
  const icc = header.icc && plain && profileSpace(header.icc) === (grey ? 'GRAY' : 'RGB') ? header.icc : undefined
  if (header.icc && plain && !icc) notes.push('The colour profile does not fit the pixels and is left out.')
  return {
    samples,
    width,
    height,
    channels,
    bitDepth,
    format: opened.format,
    tags: {
      icc,
      exif: opened.exif,
      xmp: header.xmp && withoutGainMap(header.xmp),
      iptc: header.iptc ?? rawProfile(header.comments, 'iptc'),
    },
    // sharp answers a guess for a JPEG that says nothing.
    density: opened.format === 'jpeg' ? own.density : header.density,
    ownParts: own.parts,
    lossless: own.lossless,
    profile: profileDescription(icc),
    notes,
  }
}

/** Grey with alpha out of RGBA. */
async function withoutRepeatedGrey(rgba: Uint8Array): Promise<Uint8Array> {
  const samples = new Uint8Array(rgba.length / 2)
  await inSlices(rgba.length / 4, (start, end) => {
    for (let pixel = start; pixel < end; pixel++) {
      samples[pixel * 2] = rgba[pixel * 4]!
      samples[pixel * 2 + 1] = rgba[pixel * 4 + 3]!
    }
  })
  return samples
}

function depthOf({ header, name }: OpenedPicture): 8 | 16 {
  if (header.depth === 'uchar') return 8
  if (header.depth === 'ushort') return 16
  throw new LucidexError('FORMAT_UNSUPPORTED', `Pictures with ${header.depth} samples are not denoised`, { path: name })
}

/** The picture at another bit depth: 16 to 8 rounded, 8 to 16 exactly (× 257). The same picture when there is nothing to do. */
export async function withBitDepth(picture: Picture, bitDepth: 8 | 16): Promise<Picture> {
  if (picture.bitDepth === bitDepth) return picture
  const from = samplesOf(picture)
  const buffer = new SharedArrayBuffer(from.length * (bitDepth / 8))
  const to = samplesOf({ buffer, bitDepth })
  await inSlices(from.length, (start, end) => {
    if (bitDepth === 8) for (let index = start; index < end; index++) to[index] = Math.round(from[index]! / 257)
    else for (let index = start; index < end; index++) to[index] = from[index]! * 257
  })
  return { ...picture, buffer, bitDepth }
}

/** A sharp pipeline whose input are the picture's samples (not copied), in their own colour space. */
export function fromSamples(picture: Pick<Picture, 'buffer' | 'width' | 'height' | 'channels' | 'bitDepth'>) {
  const { width, height, channels, bitDepth } = picture
  const grey = channels < 3
  return sharp(samplesOf(picture), { raw: { width, height, channels }, limitInputPixels: false }).toColourspace(
    bitDepth === 16 ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb',
  )
}

/** A part of a picture at another size, in the picture's own depth and colour space. Transparent samples count for nothing. */
export async function shrinkSamples(
  picture: Picture,
  area: { x: number; y: number; width: number; height: number },
  size: { width: number; height: number },
): Promise<Picture> {
  const { bitDepth } = picture
  const data = await fromSamples(picture)
    .extract({ left: area.x, top: area.y, width: area.width, height: area.height })
    // libvips averages boxes first, whatever the kernel; a sharper one would only take longer.
    .resize({ ...size, fit: 'fill', kernel: 'linear' })
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer()
  const buffer = new SharedArrayBuffer(data.length)
  new Uint8Array(buffer).set(data)
  return { ...picture, ...size, buffer }
}
