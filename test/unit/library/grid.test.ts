import { beforeAll, describe, expect, it } from 'vitest'
import path from 'node:path'
import type { ItemQuery } from '../../../core/contract/index.ts'
import { openDatabase, fileQueries, folderQueries, imageQueries, itemQueries } from '../../../core/db/index.ts'
import type { IndexedPicture } from '../../../core/images/types.ts'
import { createRandom } from '../../../core/random.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder } from '../../support/pictures.ts'

interface Expected {
  id: number
  folder: number
  name: string
  size: number
  taken: number
}

const COUNT = 700
const expected: Expected[] = []
let items: ReturnType<typeof itemQueries>
let folders: ReturnType<typeof folderQueries>

beforeAll(async () => {
  const { db } = openDatabase(path.join(await temporaryFolder(), 'library'), { readOnly: false, log: silent })
  const files = fileQueries(db)
  const images = imageQueries(db)
  folders = folderQueries(db)
  items = itemQueries(db)
  const random = createRandom(3)
  const ids = [folders.insert('/a', 1), folders.insert('/b', 1)]
  db.transaction(() => {
    for (let i = 0; i < COUNT; i++) {
      const folder = ids[random.integer(2)]!
      const name = `${['Été', 'beach', 'IMG_100%', 'Ägypten'][random.integer(4)]} ${random.integer(1_000_000)}.jpg`
      const size = 1000 + random.integer(50)
      // Every third has no time of capture: its file's time counts.
      const takenAt = i % 3 === 0 ? null : 1_000 * random.integer(1000)
      const image = images.insert(picture(`hash-${i}`, size, takenAt), i)
      const mtime = random.integer(1e9)
      const id = files.insert(folder, { path: `/${folder}/${i}`, name, size, mtime, ctime: 0, inode: i }, i)
      files.setIndexed({ id, image: null }, image, i)
      expected.push({ id: image, folder, name, size, taken: takenAt ?? Math.floor(mtime / 1000) })
    }
  })()
})

function picture(contentHash: string, bytes: number, takenAt: number | null): IndexedPicture {
  const metadata = {
    takenAt,
    camera: null,
    lens: null,
    iso: null,
    exposure: null,
    aperture: null,
    focalLength: null,
    latitude: null,
    longitude: null,
  }
  return {
    ...{
      contentHash,
      pixelHash: contentHash,
      bytes,
      metadata,
      format: 'jpeg',
      width: 4,
      height: 3,
      bitDepth: 8,
      hasAlpha: false,
      profile: null,
    },
    thumbnail: { data: new Uint8Array(1), width: 1, height: 1 },
    encoderInput: new Uint8Array(),
    perceptualHash: 2n ** 64n - 1n,
  }
}

const KEYS: Record<ItemQuery['sort'], (item: Expected) => string | number> = {
  added: ({ id }) => id,
  taken: ({ taken }) => taken,
  name: ({ name }) => name.toLowerCase(),
  size: ({ size }) => size,
}

function sorted(sort: ItemQuery['sort'], descending: boolean): Expected[] {
  const key = KEYS[sort]
  const ascending = expected.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.id - b.id))
  return descending ? ascending.reverse() : ascending
}

function readAll(query: Omit<ItemQuery, 'sort' | 'descending'> & Partial<ItemQuery>): number[] {
  const found: number[] = []
  for (let offset = 0; ; offset += 90) {
    const page = items.page({ sort: 'added', descending: true, ...query, offset, limit: 90 }, items.count(query))
    if (page.length === 0) return found
    found.push(...page.map(({ id }) => id))
  }
}

describe.each(['added', 'taken', 'name', 'size'] as const)('sorted by %s', (sort) => {
  it.each([true, false])('pages hold every item once, in order (descending: %s)', (descending) => {
    expect(readAll({ sort, descending })).toEqual(sorted(sort, descending).map(({ id }) => id))
  })

  it('within one folder', () => {
    const wanted = sorted(sort, true).filter(({ folder }) => folder === 2)
    expect(readAll({ sort, folderId: 2 })).toEqual(wanted.map(({ id }) => id))
    expect(items.count({ folderId: 2 })).toBe(wanted.length)
  })
})

it.each(['ÉTÉ', 'bEaCh', '100%', '_', 'ägypten 1', 'nothing of the kind', "'; DROP TABLE file; --"])(
  'finds “%s” in names, whatever the case',
  (text) => {
    const wanted = sorted('name', false).filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()))
    expect(readAll({ sort: 'name', descending: false, text })).toEqual(wanted.map(({ id }) => id))
    expect(items.count({ text })).toBe(wanted.length)
  },
)
