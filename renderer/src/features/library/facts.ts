import type { ItemDetail } from '$contract'
import { formatBytes, formatExposure, formatMegapixels, formatTime } from '../../ui/format.ts'

/** The inspector's rows, in groups; what a picture does not tell is left out. */
export function facts(item: ItemDetail): { title: string; rows: [name: string, value: string][] }[] {
  const { metadata } = item
  const depth = `${item.bitDepth}-bit${item.hasAlpha ? ', alpha' : ''}`
  const picture: [string, string | null][] = [
    ['Size', item.width > 0 ? `${item.width} × ${item.height}` : null],
    ['Pixels', item.width > 0 ? formatMegapixels(item.width, item.height) : null],
    ['Format', `${item.format.toUpperCase()}, ${depth}`],
    ['Profile', item.profile],
    ['File', formatBytes(item.bytes)],
    ['Modified', formatTime(item.modifiedAt)],
    ['Noise', item.sigma === null ? null : `σ ${item.sigma.toFixed(1)}`],
  ]
  const exposure = [
    metadata.exposure === null ? null : formatExposure(metadata.exposure),
    metadata.aperture === null ? null : `ƒ/${Number(metadata.aperture.toFixed(1))}`,
    metadata.iso === null ? null : `ISO ${metadata.iso}`,
  ].filter((part) => part !== null)
  const shot: [string, string | null][] = [
    ['Taken', metadata.takenAt === null ? null : formatTime(metadata.takenAt)],
    ['Camera', metadata.camera],
    ['Lens', metadata.lens],
    ['Exposure', exposure.length > 0 ? exposure.join('  ') : null],
    ['Focal length', metadata.focalLength === null ? null : `${Number(metadata.focalLength.toFixed(1))} mm`],
    [
      'Place',
      metadata.latitude === null || metadata.longitude === null
        ? null
        : `${metadata.latitude.toFixed(5)}, ${metadata.longitude.toFixed(5)}`,
    ],
  ]
  return [
    { title: 'Picture', rows: told(picture) },
    { title: 'Shot', rows: told(shot) },
  ].filter((group) => group.rows.length > 0)
}

function told(rows: [string, string | null][]): [string, string][] {
  return rows.flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value]]))
}
