import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import type { Facets, ItemFilter } from '../../contract/index.ts'
import type { FilterQueries } from './filter.ts'

/** Cameras and lenses beyond these many are not told: a list for choosing from is read by a person. */
const MOST = 200

/** What occurs among the pictures that a filter leaves. A question for each facet, with a turn of the event loop between them. */
export async function facetsOf(db: Database, filters: FilterQueries, filter: ItemFilter): Promise<Facets> {
  const { from, where, values } = filters.of(filter)
  const joined = from === 'file f' ? 'file f CROSS JOIN image i ON i.id = f.image' : from

  function names(column: 'camera' | 'lens'): Facets['cameras'] {
    return db
      .prepare<unknown[], { name: string | null; count: number }>(
        `SELECT i.${column} AS name, COUNT(*) AS count FROM ${joined} WHERE ${where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST}`,
      )
      .all(...values)
  }

  const cameras = names('camera')
  await nextTurn()
  const lenses = names('lens')
  await nextTurn()

  // Times are told apart by this machine's calendar: from one year's first picture to the next one's.
  const next = db
    .prepare<unknown[], number>(`SELECT f.taken_key FROM ${from} WHERE ${where} AND f.taken_key >= ? ORDER BY f.taken_key LIMIT 1`)
    .pluck()
  const countIn = db
    .prepare<unknown[], number>(`SELECT COUNT(*) FROM ${from} WHERE ${where} AND f.taken_key >= ? AND f.taken_key < ?`)
    .pluck()
  const years: Facets['years'] = []
  for (let first = next.get(...values, Number.MIN_SAFE_INTEGER); first !== undefined;) {
    const year = new Date(first).getFullYear()
    const [begin, end] = [startOf(year), startOf(year + 1)]
    years.unshift({ year, from: begin, to: end, count: countIn.get(...values, begin, end) ?? 0 })
    await nextTurn()
    first = next.get(...values, end)
  }
  return { cameras, lenses, years }
}

function startOf(year: number): number {
  const date = new Date(2000, 0, 1)
  // The constructor takes years below 100 for those of the last century.
  date.setFullYear(year)
  return date.getTime()
}
