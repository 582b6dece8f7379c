import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, it } from 'vitest'
import { readForSearch } from '../../../core/images/index.ts'
import { looksOf } from '../../../core/search/byPicture.ts'
import { fakeInference, openTestLibrary, unit, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const GRID = { sort: 'name', descending: false, offset: 0, limit: 500 } as const

let root: string
let pictures: string
let opened: OpenedLibrary

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 8, { width: 128, height: 96 })
  opened = await openTestLibrary(path.join(root, 'library'))
  await opened.library.addFolder(pictures)
  await opened.index()
  return () => opened.close()
})

async function describeQuery(input: string | Uint8Array) {
  const { views, contentHash } = await readForSearch(input)
  return { looks: await looksOf(views, opened.inference), contentHash }
}

const file = (index: number) => path.join(pictures, `photo-0${index}.jpg`)

it('finds the original of a recompressed, smaller copy first and calls it a copy', async () => {
  for (let i = 0; i < 8; i++) {
    const { looks, contentHash } = await describeQuery(await sharp(file(i)).resize(100).jpeg({ quality: 30 }).toBuffer())
    const { results, method, searched } = await opened.library.search(looks, { k: 3, contentHash })
    expect(results[0]).toMatchObject({ path: file(i), relation: 'copy', item: { state: 'indexed' } })
    expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a))
    expect({ method, searched }).toEqual({ method: 'exact', searched: 8 })
  }
})

it('calls equal bytes the same file, and leaves out the item that is asked about', async () => {
  const { looks, contentHash } = await describeQuery(file(4))
  const { results } = await opened.library.search(looks, { k: 1, contentHash })
  expect(results[0]).toMatchObject({ path: file(4), relation: 'same-file' })
  const others = await opened.library.search(looks, { k: 20, exclude: results[0]!.item.id })
  expect(others.results).toHaveLength(7)
  expect(others.results.map((result) => result.item.id)).not.toContain(results[0]!.item.id)
})

it('finds a turned copy through another look, at a lower score than an upright one', async () => {
  const described = await describeQuery(await sharp(file(3)).rotate(90).jpeg().toBuffer())
  const looks = described.looks.map((look) => ({ ...look, miniature: undefined }))
  const { results } = await opened.library.search(looks, { k: 3 })
  expect(results[0]).toMatchObject({ path: file(3) })
  expect(results[0]!.score).toBeGreaterThan(0.8)
  expect(results[0]!.score).toBeLessThan(0.91)
  expect(new Set(results.map(({ item }) => item.id)).size).toBe(3)
  const upright = await opened.library.search(looks.slice(0, 1), { k: 8 })
  expect(upright.results.find((result) => result.path === file(3))!.score).toBeLessThan(0.7)
})

it('leaves nothing out that a look ranks below what is hidden', async () => {
  // The first look's nearest pictures are in a removed folder; the second look's are worse than the first's next.
  const other = path.join(root, 'other')
  await writePhotos(other, 12, { width: 128, height: 96, seed: 5 })
  const { folder } = await opened.library.addFolder(other)
  await opened.index()
  const all = opened.library.items({ ...GRID, folderId: folder.id }).items
  const mean = unit(all.map(({ id }) => opened.library.descriptorOf(id)!).reduce((sum, one) => sum.map((value, at) => value + one[at]!)))
  const looks = [
    { descriptor: mean, handicap: 0 },
    { descriptor: opened.library.descriptorOf(opened.library.items({ ...GRID, text: 'photo-00' }).items[0]!.id)!, handicap: 0.5 },
  ]
  const before = await opened.library.search(looks, { k: 20 })
  opened.library.removeFolder(folder.id)
  const after = await opened.library.search(looks, { k: 1 })
  expect(after.results[0]!.item.id).toBe(before.results.find(({ path: found }) => !found.startsWith(other))!.item.id)
})

it('looks only into the folder that is asked for', async () => {
  const other = path.join(root, 'other')
  await writePhotos(other, 2, { width: 128, height: 96, seed: 5 })
  const { folder } = await opened.library.addFolder(other)
  await opened.index()
  const { looks } = await describeQuery(file(0))
  const { results, method } = await opened.library.search(looks, { k: 20, filter: { folderId: folder.id } })
  expect(results.map((result) => path.dirname(result.path))).toEqual([other, other])
  expect(method).toBe('exact')
})

it('still finds what is missing, and says that it is', async () => {
  const { looks } = await describeQuery(file(2))
  await rm(file(2))
  await opened.index()
  expect((await opened.library.search(looks, { k: 1 })).results[0]).toMatchObject({ path: file(2), item: { state: 'missing' } })
})

describe('another encoder', () => {
  it('answers only from its own vectors, and encodes what has none with the next job', async () => {
    const { id } = opened.library.items(GRID).items[0]!
    const old = opened.library.descriptorOf(id)!
    await opened.close()
    const inference = fakeInference(2)
    opened = await openTestLibrary(path.join(root, 'library'), { inference })
    expect(opened.library.descriptorOf(id)).toBeUndefined()
    expect(await opened.library.search([{ descriptor: old, handicap: 0 }], { k: 5 })).toMatchObject({ results: [], searched: 0 })
    expect(opened.library.status()).toMatchObject({ images: 8, vectors: 0, encoder: 'encoder-2' })

    expect(await opened.index()).toMatchObject({ indexed: 8, unchanged: 0 })
    expect(opened.library.status()).toMatchObject({ images: 8, vectors: 8 })
    expect(opened.library.descriptorOf(id)).not.toEqual(old)
    expect(opened.library.items(GRID).items[0]!.id).toBe(id)

    // Back to the first: its vectors are still there, nothing is encoded.
    await opened.close()
    opened = await openTestLibrary(path.join(root, 'library'))
    expect(opened.library.descriptorOf(id)).toEqual(old)
    expect(await opened.index()).toMatchObject({ unchanged: 8 })
    expect(opened.inference.encoded).toBe(0)
  })

  it('failing, leaves the pictures shown and is tried again', async () => {
    await writePhotos(path.join(pictures, 'late'), 1, { width: 64, height: 48, seed: 8 })
    const { encode } = opened.inference
    opened.inference.encode = async () => {
      throw new Error('out of memory')
    }
    const report = await opened.index()
    expect(report.failed).toMatchObject([{ path: path.join(pictures, 'late', 'photo-00.jpg'), code: 'INTERNAL' }])
    expect(opened.library.items(GRID).total).toBe(9)
    expect(opened.library.status().vectors).toBe(8)
    opened.inference.encode = encode
    expect(await opened.index()).toMatchObject({ failed: [] })
    expect(opened.library.status().vectors).toBe(9)
  })

  it('absent, lets pictures be shown but not searched', async () => {
    await opened.close()
    opened = await openTestLibrary(path.join(root, 'library'), { inference: { ...fakeInference(), encoderHash: () => null } })
    await writeFile(path.join(pictures, 'late.png'), await sharp(file(0)).rotate(90).png().toBuffer())
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 8 })
    expect(opened.library.items(GRID).total).toBe(9)
    await expect(opened.library.search([{ descriptor: new Float32Array(128), handicap: 0 }], { k: 1 })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
  })
})
