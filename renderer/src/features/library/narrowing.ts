import type { ItemFilter } from '$contract'
import type { Narrowing } from './library.svelte.ts'

/** One condition of a filter in words, and the filter without it. */
export interface Chip {
  key: string
  text: string
  without: Narrowing
}

const MEGAPIXEL = 1_000_000
const STATES: Record<NonNullable<ItemFilter['state']>, string> = {
  indexed: 'Readable now',
  pending: 'Not read yet',
  missing: 'Missing',
  failed: 'Not readable',
}
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** What narrows the grid, each condition for itself. */
export function chipsOf(narrowing: Narrowing): Chip[] {
  const { camera, lens, takenFrom, takenTo, minPixels, maxPixels, state } = narrowing
  const chips: [keys: (keyof Narrowing)[], text: string][] = []
  if (camera !== undefined) chips.push([['camera'], camera ?? 'No camera named'])
  if (lens !== undefined) chips.push([['lens'], lens ?? 'No lens named'])
  if (takenFrom !== undefined || takenTo !== undefined) chips.push([['takenFrom', 'takenTo'], datesText(takenFrom, takenTo)])
  if (minPixels !== undefined || maxPixels !== undefined) chips.push([['minPixels', 'maxPixels'], sizeText(minPixels, maxPixels)])
  if (state !== undefined) chips.push([['state'], STATES[state]])
  return chips.map(([keys, text]) => ({ key: keys[0]!, text, without: omit(narrowing, keys) }))
}

/** The filter with some conditions set anew; undefined takes one away. */
export function narrow(narrowing: Narrowing, change: Partial<Narrowing>): Narrowing {
  const merged = { ...narrowing, ...change }
  return omit(
    merged,
    (Object.keys(merged) as (keyof Narrowing)[]).filter((key) => merged[key] === undefined),
  )
}

/** Bounds of time as a date field writes them, `2024-03-01`, in local time; the last day is included. */
export function dayOf(ms: number | undefined): string {
  if (ms === undefined) return ''
  const date = new Date(ms)
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${String(date.getFullYear()).padStart(4, '0')}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** The beginning of a day that a date field names, or of the day after it; undefined where it names none. */
export function startOf(text: string, after = 0): number | undefined {
  const [year, month, date] = text.split('-').map(Number)
  return year && month && date ? new Date(year, month - 1, date + after).getTime() : undefined
}

export const megapixels = (pixels: number | undefined): number | undefined => (pixels === undefined ? undefined : pixels / MEGAPIXEL)
export const pixelsOf = (megapixels: number): number => Math.round(megapixels * MEGAPIXEL)

function datesText(from: number | undefined, to: number | undefined): string {
  if (from !== undefined && to !== undefined) {
    const year = wholeYear(from, to)
    if (year !== null) return String(year)
    const last = day.format(to - 1)
    return day.format(from) === last ? last : `${day.format(from)} – ${last}`
  }
  return from === undefined ? `Until ${day.format(to! - 1)}` : `Since ${day.format(from)}`
}

/** The year whose bounds these are, or null. */
function wholeYear(from: number, to: number): number | null {
  const year = new Date(from).getFullYear()
  return from === new Date(year, 0).getTime() && to === new Date(year + 1, 0).getTime() ? year : null
}

function sizeText(min: number | undefined, max: number | undefined): string {
  const mp = (pixels: number) => `${Number((pixels / MEGAPIXEL).toFixed(1))}`
  if (min !== undefined && max !== undefined) return `${mp(min)} – ${mp(max)} MP`
  return min === undefined ? `At most ${mp(max!)} MP` : `At least ${mp(min)} MP`
}

function omit(narrowing: Narrowing, keys: (keyof Narrowing)[]): Narrowing {
  return Object.fromEntries(Object.entries(narrowing).filter(([key]) => !keys.includes(key as keyof Narrowing)))
}
