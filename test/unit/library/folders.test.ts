import { copyFile, mkdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { openTestLibrary, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const GRID = { sort: 'name', descending: false, offset: 0, limit: 500 } as const

let root: string
let opened: OpenedLibrary
let inner: string
let outer: string

beforeEach(async () => {
  root = await temporaryFolder()
  outer = path.join(root, 'outer')
  inner = path.join(outer, 'inner')
  await writePhotos(outer, 2, { width: 64, height: 48, seed: 1 })
  await writePhotos(inner, 3, { width: 64, height: 48, seed: 2 })
  opened = await openTestLibrary(path.join(root, 'library'))
  return () => opened.close()
})

async function reopen(now = Date.now): Promise<void> {
  await opened.close()
  opened = await openTestLibrary(path.join(root, 'library'), { now })
}

async function add(folder: string) {
  const answer = await opened.library.addFolder(folder)
  await opened.index(answer.folder.id)
  return answer
}

const total = (folderId?: number) => opened.library.items({ ...GRID, folderId }).total

describe('adding', () => {
  it('answers with the folder that covers it already', async () => {
    const { folder } = await add(outer)
    expect(await opened.library.addFolder(inner)).toMatchObject({ folder: { id: folder.id, path: outer }, isNew: false })
    expect(await opened.library.addFolder(`${outer}/`)).toMatchObject({ folder: { id: folder.id }, isNew: false })
    expect(opened.library.folders()).toHaveLength(1)
  })

  it('takes in the folders inside, with all that is known of their files', async () => {
    await add(inner)
    const ids = opened.library.items(GRID).items.map((item) => item.id)
    const { folder, isNew } = await opened.library.addFolder(outer)
    expect(isNew).toBe(true)
    expect(opened.library.folders().map((each) => each.path)).toEqual([outer])
    expect(total(folder.id)).toBe(3)
    expect(await opened.index()).toMatchObject({ scanned: 5, unchanged: 3, indexed: 2 })
    expect(opened.library.items(GRID).items.map((item) => item.id)).toEqual(expect.arrayContaining(ids))
    expect(opened.decoded).toHaveLength(5)
  })

  it('does not take a neighbour with a longer name for a folder inside', async () => {
    await writePhotos(`${outer}-2`, 1, { width: 64, height: 48, seed: 3 })
    await add(outer)
    expect((await opened.library.addFolder(`${outer}-2`)).isNew).toBe(true)
  })

  it('follows a link to what it stands for', async () => {
    const link = path.join(root, 'link')
    await symlink(outer, link)
    expect((await opened.library.addFolder(link)).folder.path).toBe(outer)
  })

  it('refuses what is not there or not a folder', async () => {
    await expect(opened.library.addFolder(path.join(root, 'nowhere'))).rejects.toMatchObject({ code: 'FOLDER_NOT_FOUND' })
    await expect(opened.library.addFolder(path.join(outer, 'photo-00.jpg'))).rejects.toMatchObject({ code: 'FOLDER_NOT_FOUND' })
  })
})

describe('taking out', () => {
  it('hides a folder at once, and putting it back needs no reading', async () => {
    const { folder } = await add(outer)
    const before = opened.library.items(GRID)
    const query = opened.library.descriptorOf(before.items[0]!.id)!
    opened.library.removeFolder(folder.id)
    expect(opened.library.folders()).toEqual([])
    expect(total()).toBe(0)
    expect(() => opened.library.item(before.items[0]!.id)).toThrow(expect.objectContaining({ code: 'ITEM_NOT_FOUND' }))
    expect((await opened.library.search([{ descriptor: query, handicap: 0 }], { k: 5 })).results).toEqual([])
    expect(opened.library.status()).toMatchObject({ files: 0, images: 0 })

    expect(opened.library.restoreFolder(folder.id)).toMatchObject({ id: folder.id, state: 'ready', counts: { files: 5, images: 5 } })
    expect(opened.library.items(GRID)).toEqual(before)
    expect(await opened.index()).toMatchObject({ unchanged: 5 })
    expect(opened.decoded).toHaveLength(5)
  })

  it('is undone by adding it again', async () => {
    const { folder } = await add(outer)
    opened.library.removeFolder(folder.id)
    expect(await opened.library.addFolder(outer)).toMatchObject({ folder: { id: folder.id }, isNew: false })
    expect(total()).toBe(5)
  })

  it('can be undone after the next start too', async () => {
    const { folder } = await add(outer)
    const before = opened.library.items(GRID)
    const undoId = opened.library.removeFolder(folder.id)
    await reopen()
    expect(total()).toBe(0)
    expect(opened.library.care.undoable()).toEqual([{ id: undoId, kind: 'remove-folder', folder: outer, count: 5, at: expect.any(Number) }])
    expect(await opened.library.care.undo(undoId)).toMatchObject({ id: folder.id, path: outer })
    expect(opened.library.items(GRID)).toEqual(before)
    expect(opened.library.care.undoable()).toEqual([])
    expect(await opened.index()).toMatchObject({ unchanged: 5 })
    expect(opened.decoded).toEqual([])
  })

  it('is forgotten by the first start after 30 days, and the disk left alone', async () => {
    const { folder } = await add(outer)
    const { id } = opened.library.items(GRID).items[0]!
    opened.library.removeFolder(folder.id)
    await reopen(() => Date.now() + 31 * 24 * 3_600_000)
    expect(opened.library.care.undoable()).toEqual([])
    expect(() => opened.library.restoreFolder(folder.id)).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_FOUND' }))
    expect(opened.library.thumbnail(id)).toBeUndefined()
    expect(opened.library.status()).toMatchObject({ files: 0, images: 0, vectors: 0 })
    expect((await add(outer)).isNew).toBe(true)
    expect(total()).toBe(5)
  })

  it('leaves the pictures that another folder holds too', async () => {
    const other = path.join(root, 'other')
    await mkdir(other)
    await copyFile(path.join(outer, 'photo-00.jpg'), path.join(other, 'kept.jpg'))
    const { folder } = await add(outer)
    await add(other)
    expect(total()).toBe(5)
    opened.library.removeFolder(folder.id)
    // Index jobs and the tidying run one after the other.
    await opened.index()
    expect(opened.library.items(GRID)).toMatchObject({ total: 1, items: [{ name: 'kept.jpg', copies: 1 }] })
    opened.library.restoreFolder(folder.id)
    expect(total()).toBe(5)
    expect(opened.library.items({ ...GRID, folderId: folder.id }).total).toBe(5)
  })

  it('a folder inside one that was taken out stands on its own, and is taken in when that is put back', async () => {
    const { folder } = await add(outer)
    opened.library.removeFolder(folder.id)
    const { folder: own, isNew } = await add(inner)
    expect(isNew).toBe(true)
    expect(total()).toBe(3)
    opened.library.restoreFolder(folder.id)
    await opened.index(folder.id)
    expect(opened.library.folders().map(({ id }) => id)).toEqual([folder.id])
    expect(total()).toBe(5)
    expect(() => opened.library.removeFolder(own.id)).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_FOUND' }))
  })
})

it('opened for reading only, it shows and finds, and changes nothing', async () => {
  await add(outer)
  const reader = await openTestLibrary(path.join(root, 'library'), { readOnly: true })
  expect(reader.library.items(GRID).total).toBe(5)
  const [item] = reader.library.items(GRID).items
  expect(
    (await reader.library.search([{ descriptor: reader.library.descriptorOf(item!.id)!, handicap: 0 }], { k: 1 })).results[0]!.item.id,
  ).toBe(item!.id)
  await expect(reader.library.addFolder(root)).rejects.toMatchObject({ code: 'LIBRARY_IN_USE' })
  await expect(reader.index()).rejects.toMatchObject({ code: 'LIBRARY_IN_USE' })
  // What the writer adds meanwhile is found too.
  await writePhotos(path.join(outer, 'late'), 1, { width: 64, height: 48, seed: 9 })
  await opened.index()
  const late = opened.library.items({ ...GRID, sort: 'added', descending: true }).items[0]!
  const { results, searched } = await reader.library.search([{ descriptor: opened.library.descriptorOf(late.id)!, handicap: 0 }], { k: 1 })
  expect(searched).toBe(6)
  expect(results[0]!.item.id).toBe(late.id)
  await reader.close()
})
