import path from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { ItemFilter } from '../../../core/contract/index.ts'
import { facetsOf, fileQueries, filterQueries, folderQueries, imageQueries, itemQueries, openDatabase } from '../../../core/db/index.ts'
import type { IndexedPicture } from '../../../core/images/types.ts'
import { createRandom } from '../../../core/random.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

const COUNT = 1200
const CAMERAS = ['Fujifilm X-T5', 'Canon EOS R6', null]
const DIRECTORIES = ['', '2024', '2024/Lisbon', '2024/Lisbon/raw', '2024-01', 'ümläute']
const SIDES = [100, 1000, 4000]
const STATES = ['indexed', 'missing', 'pending'] as const

interface Made {
  image: number
  folder: number
  within: string
  name: string
  camera: string | null
  lens: string | null
  taken: number
  pixels: number
  state: (typeof STATES)[number]
}

const made: Made[] = []
let database: ReturnType<typeof openDatabase>
let items: ReturnType<typeof itemQueries>

beforeAll(async () => {
  database = openDatabase(path.join(await temporaryFolder(), 'library'), { readOnly: false, log: silent })
  const { db } = database
  const files = fileQueries(db)
  const images = imageQueries(db)
  items = itemQueries(db)
  const random = createRandom(11)
  const pick = <T>(from: readonly T[]) => from[random.integer(from.length)]!
  const folders = ['/a', '/b'].map((name) => ({ id: folderQueries(db).insert(name, 1), path: name }))
  db.transaction(() => {
    for (let i = 0; i < COUNT; i++) {
      const folder = pick(folders)
      const [within, camera, side, state] = [pick(DIRECTORIES), pick(CAMERAS), pick(SIDES), pick(STATES)]
      const lens = camera && `${camera} lens`
      const name = `${pick(['Beach', 'Été'])} ${i}.jpg`
      const taken = new Date(2015 + random.integer(5), random.integer(12), 1 + random.integer(28)).getTime()
      const known = i % 4 !== 0
      const image = images.insert(picture({ contentHash: `hash-${i}`, side, takenAt: known ? taken : null, camera, lens }), i)
      const file = { path: path.join(folder.path, within, name), name, size: 1000, mtime: taken * 1000, ctime: 0, inode: null }
      const id = files.insert(folder.id, file, i)
      files.setIndexed({ id, image: null }, image, i)
      files.setState(id, state, i)
      made.push({ image, folder: folder.id, within, name, camera, lens, taken, pixels: side * side, state })
    }
  })()
  return () => database.close()
})

function picture(facts: { contentHash: string; side: number; takenAt: number | null; camera: string | null; lens: string | null }) {
  const { contentHash, side, takenAt, camera, lens } = facts
  const nothing = { iso: null, exposure: null, aperture: null, focalLength: null, latitude: null, longitude: null }
  return {
    ...{ contentHash, pixelHash: contentHash, bytes: 1000, width: side, height: side, format: 'jpeg', bitDepth: 8, hasAlpha: false },
    ...{ profile: null, perceptualHash: 0n, encoderInput: new Uint8Array() },
    metadata: { takenAt, camera, lens, ...nothing },
    thumbnail: { data: Buffer.from('thumbnail'), width: 1, height: 1 },
  } satisfies IndexedPicture
}

function passes(one: Made, filter: ItemFilter): boolean {
  const { folderId, within, text, takenFrom, takenTo, camera, lens, minPixels, maxPixels, state } = filter
  return (
    (folderId === undefined || one.folder === folderId) &&
    (folderId === undefined || within === undefined || one.within === within || one.within.startsWith(`${within}/`)) &&
    (text === undefined || one.name.toLowerCase().includes(text.toLowerCase())) &&
    (takenFrom === undefined || one.taken >= takenFrom) &&
    (takenTo === undefined || one.taken < takenTo) &&
    (camera === undefined || one.camera === camera) &&
    (lens === undefined || one.lens === lens) &&
    (minPixels === undefined || one.pixels >= minPixels) &&
    (maxPixels === undefined || one.pixels <= maxPixels) &&
    (state === undefined || one.state === state)
  )
}

/** Any combination of parts of a filter, from none to all of them. */
function someFilter(random: ReturnType<typeof createRandom>): ItemFilter {
  const maybe = <T>(value: () => T): T | undefined => (random.integer(3) === 0 ? value() : undefined)
  const pick = <T>(from: readonly T[]) => from[random.integer(from.length)]!
  return {
    folderId: maybe(() => 1 + random.integer(2)),
    within: maybe(() => pick([...DIRECTORIES.slice(1), '20', '2024/Lis'])),
    text: maybe(() => pick(['ÉTÉ', 'beach', '1', 'nothing of the kind'])),
    takenFrom: maybe(() => new Date(2015 + random.integer(5), 5).getTime()),
    takenTo: maybe(() => new Date(2015 + random.integer(6), 2).getTime()),
    camera: maybe(() => pick(CAMERAS)),
    lens: maybe(() => pick(['Canon EOS R6 lens', null])),
    minPixels: maybe(() => pick([0, 1_000_000])),
    maxPixels: maybe(() => pick([10_000, 1_000_000])),
    state: maybe(() => pick(STATES)),
  }
}

it('a filter leaves what a look at every picture leaves, in the grid and for a search', () => {
  const random = createRandom(12)
  let narrowed = 0
  for (let round = 0; round < 200; round++) {
    const filter = someFilter(random)
    const wanted = made.filter((one) => passes(one, filter)).map(({ image }) => image)
    if (wanted.length > 0 && wanted.length < COUNT) narrowed++
    expect(
      items.images(filter).sort((a, b) => a - b),
      JSON.stringify(filter),
    ).toEqual(wanted)
    const total = items.count(filter)
    expect(total).toBe(wanted.length)
    // Both ways of looking up a folder within a folder.
    for (const size of [total, 1_000_000]) {
      const page = items.page({ ...filter, sort: 'added', descending: false, offset: 3, limit: 50 }, size)
      expect(
        page.map(({ id }) => id),
        JSON.stringify(filter),
      ).toEqual(wanted.slice(3, 53))
    }
  }
  expect(narrowed).toBeGreaterThan(50)
})

it('facets tell what occurs in what a filter leaves, and their years are filters', async () => {
  const filter: ItemFilter = { folderId: 2, within: '2024', minPixels: 1_000_000 }
  const { cameras, lenses, years } = await facetsOf(database.db, filterQueries(database.db), filter)
  const left = made.filter((one) => passes(one, filter))
  expect(cameras.map(({ count }) => count)).toEqual(cameras.map(({ count }) => count).sort((a, b) => b - a))
  for (const { name, count } of cameras) expect(count).toBe(left.filter(({ camera }) => camera === name).length)
  expect(cameras).toHaveLength(CAMERAS.length)
  expect(lenses.find(({ name }) => name === 'Canon EOS R6 lens')!.count).toBe(left.filter(({ camera }) => camera === 'Canon EOS R6').length)
  expect(years.map(({ year }) => year)).toEqual([2019, 2018, 2017, 2016, 2015])
  expect(years.reduce((sum, { count }) => sum + count, 0)).toBe(left.length)
  for (const { from, to, count } of years) expect(items.count({ ...filter, takenFrom: from, takenTo: to })).toBe(count)
})

it('of an empty library there is nothing to tell', async () => {
  const empty = openDatabase(path.join(await temporaryFolder(), 'library'), { readOnly: false, log: silent })
  expect(await facetsOf(empty.db, filterQueries(empty.db), {})).toEqual({ cameras: [], lenses: [], years: [] })
  empty.close()
})
