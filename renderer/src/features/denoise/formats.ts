import { BESIDE_PATTERN, type OutputSettings } from '$contract'

type Format = OutputSettings['format']
type BitDepth = OutputSettings['bitDepth']

export const FORMAT_OPTIONS: { value: Format; label: string }[] = [
  { value: 'keep', label: 'Same as the original' },
  { value: 'png', label: 'PNG' },
  { value: 'jpeg', label: 'JPEG' },
  { value: 'tiff', label: 'TIFF' },
  { value: 'webp', label: 'WebP' },
  { value: 'avif', label: 'AVIF' },
]

const EXTENSIONS: Record<Exclude<Format, 'keep'>, string> = { png: '.png', jpeg: '.jpg', tiff: '.tif', webp: '.webp', avif: '.avif' }

/** Only PNG and TIFF hold 16 bits. */
export function depthOptions(format: Format): { value: BitDepth; label: string }[] {
  const options: { value: BitDepth; label: string }[] = [
    { value: 'keep', label: 'Same as the original' },
    { value: '8', label: '8 bits' },
    { value: '16', label: '16 bits' },
  ]
  return format === 'keep' || format === 'png' || format === 'tiff' ? options : options.filter((option) => option.value !== '16')
}

/** The settings with another format; what that cannot hold is not asked for. */
export function withFormat(output: OutputSettings, format: Format): OutputSettings {
  const holds = depthOptions(format).some(({ value }) => value === output.bitDepth)
  return { ...output, format, bitDepth: holds ? output.bitDepth : 'keep' }
}

export function isLossy(format: string): boolean {
  return ['jpeg', 'jpg', 'webp', 'avif', 'heif'].includes(format.toLowerCase())
}

/** Extensions of the formats that are written. */
const WRITTEN = /^\.(png|jpe?g|jpe|jfif|tiff?|webp|avif)$/i

/** The extension of a picture named `name` in another format, with its dot; empty when it has none. What cannot be written goes into a TIFF. */
export function extensionFor(name: string, format: Format): string {
  if (format !== 'keep') return EXTENSIONS[format]
  const dot = name.lastIndexOf('.')
  if (dot <= 0) return ''
  const own = name.slice(dot)
  return WRITTEN.test(own) ? own : '.tiff'
}

/** `beach.jpg` as PNG: `beach_denoised.png`. */
export function defaultName(name: string, format: Format): string {
  const dot = name.lastIndexOf('.')
  return BESIDE_PATTERN.replace('{name}', dot > 0 ? name.slice(0, dot) : name) + extensionFor(name, format)
}
