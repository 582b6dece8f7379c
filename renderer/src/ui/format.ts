/** Numbers and times as the interface shows them. */

const whole = new Intl.NumberFormat('en')
const minute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })

export const formatCount = (value: number): string => whole.format(value)

/** `1 picture`, `1,200 pictures`. */
export const plural = (value: number, one: string, many = `${one}s`): string => `${formatCount(value)} ${value === 1 ? one : many}`

export const formatTime = (ms: number): string => minute.format(ms)

/** Bytes in units of 1,000, as file managers and disks count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Time left, coarse: `12 s`, `4 min`, `1 h 20 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Seconds of exposure as cameras write them: `1/250 s`, `2.5 s`. */
export function formatExposure(seconds: number): string {
  return seconds >= 0.4 ? `${Number(seconds.toFixed(1))} s` : `1/${Math.round(1 / seconds)} s`
}

export function formatMegapixels(width: number, height: number): string {
  const megapixels = (width * height) / 1e6
  return `${megapixels < 1 ? megapixels.toFixed(2) : megapixels < 10 ? megapixels.toFixed(1) : Math.round(megapixels)} MP`
}

/** How fast it goes, from units a second: `42 files/s`, `0.8 files/s`; when it takes long, `2.5 s each`. */
export function formatPace(rate: number, units: string): string {
  if (rate < 0.5) return `${(1 / rate).toFixed(1)} s each`
  return `${rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1)} ${units}/s`
}
