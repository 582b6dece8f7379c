import sharp from 'sharp'
import type { Picture } from '../../../core/images/index.ts'
import { createRandom } from '../../../core/random.ts'

/** Smooth colours with some noise, so that nothing is constant and lossy formats can still follow. */
export function makePicture(width: number, height: number, channels: Picture['channels'], bitDepth: 8 | 16, noise = 4): Picture {
  const random = createRandom(width * 31 + height * 7 + channels + bitDepth)
  const peak = 2 ** bitDepth - 1
  const buffer = new SharedArrayBuffer(width * height * channels * (bitDepth / 8))
  const samples = bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const shade = 0.5 + 0.35 * Math.sin((x * (c + 1)) / 23 + y / 31) + (noise / 255) * (random.next() - 0.5)
        samples[(y * width + x) * channels + c] = Math.round(Math.min(1, Math.max(0, shade)) * peak)
      }
    }
  }
  return { buffer, width, height, channels, bitDepth, format: 'png', tags: {}, profile: null, notes: [] }
}

/** A wide-gamut profile: the Display P3 that comes with sharp. */
export async function wideGamutProfile(): Promise<Uint8Array> {
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#f00' } })
    .withIccProfile('p3')
    .png()
    .toBuffer()
  const { icc } = await sharp(png).metadata()
  return icc as Uint8Array
}

/** An EXIF block as a camera writes it, with the given orientation. */
export async function cameraExif(orientation: number): Promise<Uint8Array> {
  const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
    .withExif({
      IFD0: { Make: 'NIKON CORPORATION', Model: 'NIKON D850', Artist: 'Zoë' },
      IFD2: {
        DateTimeOriginal: '2024:05:06 07:08:09',
        OffsetTimeOriginal: '+02:00',
        ExposureTime: '1/250',
        FNumber: '28/10',
        ISOSpeedRatings: '400',
        FocalLength: '50/1',
        LensModel: 'NIKKOR 50mm',
      },
      IFD3: { GPSLatitudeRef: 'S', GPSLatitude: '33/1 51/1 36/1', GPSLongitudeRef: 'E', GPSLongitude: '151/1 12/1 0/1' },
    })
    .withMetadata({ orientation })
    .jpeg()
    .toBuffer()
  const { exif } = await sharp(jpeg).metadata()
  return (exif as Buffer).subarray(6)
}
