import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { openTestLibrary, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const GRID = { sort: 'name', descending: false, offset: 0, limit: 500 } as const
const PROBLEMS = { ignored: false, offset: 0, limit: 100 } as const
const SIZE = { width: 64, height: 48 }

let root: string
let pictures: string
let opened: OpenedLibrary

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 2, { ...SIZE, seed: 1 })
  opened = await openTestLibrary(path.join(root, 'library'))
  return () => opened.close()
})

async function reopen(): Promise<void> {
  await opened.close()
  opened = await openTestLibrary(path.join(root, 'library'))
}

async function add(folder = pictures) {
  const answer = await opened.library.addFolder(folder)
  await opened.index()
  return answer.folder
}

const names = (filter: object) => opened.library.items({ ...GRID, ...filter }).items.map(({ name }) => name)

describe('the folder tree', () => {
  beforeEach(async () => {
    await writePhotos(path.join(pictures, '2024', 'Lisbon'), 2, { ...SIZE, seed: 2 })
    await writePhotos(path.join(pictures, '2024', 'Lisbon', 'raw'), 1, { ...SIZE, seed: 3 })
    // Between a folder and what lies in it come names that go on with a character before the separator.
    await writePhotos(path.join(pictures, '2024-01'), 1, { ...SIZE, seed: 4 })
    await writeFile(path.join(pictures, '2024', 'letter.jpg'), 'Dear Sir or Madam')
  })

  it('tells the folders inside a folder with all that lies below them', async () => {
    const folder = await add()
    const { care } = opened.library
    expect(care.tree({ folderId: folder.id })).toEqual([
      { within: '2024', name: '2024', counts: { files: 4, pending: 0, failed: 1, missing: 0 }, hasChildren: true },
      { within: '2024-01', name: '2024-01', counts: { files: 1, pending: 0, failed: 0, missing: 0 }, hasChildren: false },
    ])
    expect(care.tree({ folderId: folder.id, within: '2024' })).toEqual([
      { within: '2024/Lisbon', name: 'Lisbon', counts: { files: 3, pending: 0, failed: 0, missing: 0 }, hasChildren: true },
    ])
    expect(care.tree({ folderId: folder.id, within: '2024/Lisbon/raw' })).toEqual([])
    expect(() => care.tree({ folderId: 99 })).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_FOUND' }))
  })

  it('follows the disk: what is gone is counted as missing', async () => {
    const folder = await add()
    await rm(path.join(pictures, '2024', 'Lisbon', 'photo-00.jpg'))
    await opened.index()
    expect(opened.library.care.tree({ folderId: folder.id, within: '2024' })[0]!.counts).toMatchObject({ files: 3, missing: 1 })
  })

  it('narrows the grid and a search to a folder inside a folder, and to nothing beside it', async () => {
    const folder = await add()
    expect(names({ folderId: folder.id, within: '2024' })).toHaveLength(3)
    expect(names({ folderId: folder.id, within: '2024/Lisbon/raw' })).toHaveLength(1)
    expect(names({ folderId: folder.id, within: '20' })).toEqual([])
    expect(names({ folderId: folder.id, within: '../pictures' })).toHaveLength(6)
    const { id } = opened.library.items(GRID).items[0]!
    const look = { descriptor: opened.library.descriptorOf(id)!, handicap: 0 }
    const { results } = await opened.library.search([look], { k: 10, filter: { folderId: folder.id, within: '2024/Lisbon' } })
    expect(results.map(({ path: file }) => path.relative(pictures, file).split(path.sep).slice(0, 2))).toEqual(
      Array.from({ length: 3 }, () => ['2024', 'Lisbon']),
    )
  })
})

describe('problems', () => {
  beforeEach(async () => {
    await writeFile(path.join(pictures, 'empty.jpg'), '')
    await writeFile(path.join(pictures, 'letter.jpg'), 'Dear Sir or Madam')
    await writeFile(path.join(pictures, 'another.jpg'), 'Yours faithfully')
    await add()
  })

  it('are counted by code and narrowed to one, and to a folder', async () => {
    const { care } = opened.library
    expect(care.problems(PROBLEMS)).toMatchObject({
      total: 3,
      codes: [
        { code: 'FORMAT_UNKNOWN', count: 2 },
        { code: 'FILE_EMPTY', count: 1 },
      ],
    })
    const empty = care.problems({ ...PROBLEMS, code: 'FILE_EMPTY' })
    expect(empty).toMatchObject({ total: 1, problems: [{ path: path.join(pictures, 'empty.jpg'), error: { code: 'FILE_EMPTY' } }] })
    expect(empty.codes).toHaveLength(2)
    expect(care.problems({ ...PROBLEMS, folderId: 99 })).toEqual({ total: 0, codes: [], problems: [] })
  })

  it('are tried again when asked, although nothing changed', async () => {
    const { care } = opened.library
    const read = opened.decoded.length
    await opened.index()
    expect(opened.decoded).toHaveLength(read)
    const [first] = care.problems(PROBLEMS).problems
    expect(care.retry([first!.fileId, 9999])).toBe(1)
    await opened.index()
    expect(opened.decoded.slice(read)).toEqual([first!.path])
    expect(care.retry()).toBe(3)
    expect(await opened.index()).toMatchObject({ failed: [{}, {}, {}] })
    expect(opened.decoded).toHaveLength(read + 4)
  })

  it('can be ignored until the file changes, and that be undone', async () => {
    const { care } = opened.library
    const [another, empty] = care.problems(PROBLEMS).problems
    const { count, undoId } = care.ignore([another!.fileId, empty!.fileId])
    expect(count).toBe(2)
    expect(care.problems(PROBLEMS)).toMatchObject({ total: 1, codes: [{ code: 'FORMAT_UNKNOWN', count: 1 }] })
    expect(care.problems({ ...PROBLEMS, ignored: true }).total).toBe(2)
    expect(opened.library.status().failed).toBe(1)
    expect(opened.library.folders()[0]!.counts.failed).toBe(1)
    expect((await opened.index()).failed.map(({ path: file }) => path.basename(file))).toEqual(['letter.jpg'])
    expect(care.ignore([another!.fileId])).toEqual({ count: 0, undoId: null })

    await writeFile(another!.path, 'Yours sincerely, at greater length')
    await opened.index()
    expect(care.problems(PROBLEMS).total).toBe(2)
    await care.undo(undoId!)
    expect(care.problems(PROBLEMS).total).toBe(3)
    await expect(care.undo(undoId!)).rejects.toMatchObject({ code: 'ITEM_NOT_FOUND' })
  })
})

describe('forgetting missing files', () => {
  it('takes their rows away, and undoing brings them back with their pictures, also after a restart', async () => {
    await add()
    const before = opened.library.items(GRID)
    await rm(path.join(pictures, 'photo-00.jpg'))
    await opened.index()
    const { count, undoId } = await opened.library.care.forgetMissing()
    expect(count).toBe(1)
    expect(names({})).toEqual(['photo-01.jpg'])
    expect(opened.library.status()).toMatchObject({ files: 1, missing: 0 })
    expect(opened.library.care.undoable()).toMatchObject([{ id: undoId, kind: 'forget-missing', folder: null, count: 1 }])

    await reopen()
    await opened.library.care.undo(undoId!)
    const [back] = opened.library.items(GRID).items
    expect(back).toEqual({ ...before.items[0], state: 'missing', copies: 0 })
    expect(opened.library.thumbnail(back!.id)).toBeDefined()
    expect(opened.library.descriptorOf(back!.id)).toBeDefined()
  })

  it('a file that came back meanwhile is not doubled by undoing', async () => {
    await add()
    const file = path.join(pictures, 'photo-00.jpg')
    await rename(file, path.join(root, 'aside.jpg'))
    await opened.index()
    const { undoId } = await opened.library.care.forgetMissing()
    await rename(path.join(root, 'aside.jpg'), file)
    expect(await opened.index()).toMatchObject({ indexed: 1 })
    await opened.library.care.undo(undoId!)
    expect(names({})).toEqual(['photo-00.jpg', 'photo-01.jpg'])
    expect(opened.library.status()).toMatchObject({ files: 2, missing: 0 })
  })

  it('leaves what lies on an absent drive, unless its folder is named', async () => {
    const folder = await add()
    await rename(pictures, `${pictures}-unplugged`)
    await opened.index()
    expect(await opened.library.care.forgetMissing()).toEqual({ count: 0, undoId: null })
    expect(names({})).toHaveLength(2)
    expect(await opened.library.care.forgetMissing(folder.id)).toMatchObject({ count: 2 })
    expect(opened.library.care.undoable()).toMatchObject([{ folder: pictures, count: 2 }])
  })

  it('keeps the copy that is there', async () => {
    await mkdir(path.join(pictures, 'copies'))
    await copyFile(path.join(pictures, 'photo-00.jpg'), path.join(pictures, 'copies', 'same.jpg'))
    await add()
    await rm(path.join(pictures, 'photo-00.jpg'))
    await opened.index()
    await opened.library.care.forgetMissing()
    expect(names({})).toEqual(['photo-01.jpg', 'same.jpg'])
  })
})

describe('settings', () => {
  it('are kept over a restart, and what is not understood counts as not set', async () => {
    const { care } = opened.library
    expect(care.settings()).toEqual({ concurrency: 'auto', watch: true, followAtStart: true, maxMegapixels: 268 })
    expect(care.configure({ concurrency: 2, followAtStart: false })).toEqual({
      settings: { concurrency: 2, followAtStart: false, watch: true, maxMegapixels: 268 },
      retried: 0,
    })
    await reopen()
    expect(opened.library.care.settings()).toMatchObject({ concurrency: 2, followAtStart: false })
    opened.database.db
      .prepare(`UPDATE setting SET value = ? WHERE name = 'library'`)
      .run(JSON.stringify({ concurrency: 'all', watch: false }))
    expect(opened.library.care.settings()).toMatchObject({ concurrency: 'auto', watch: false })
  })

  it('say which pictures are too large to read: raised, those that were are read', async () => {
    await writePhotos(path.join(pictures, 'large'), 1, { width: 1500, height: 1000, seed: 5 })
    opened.library.care.configure({ maxMegapixels: 1 })
    await add()
    const large = path.join(pictures, 'large', 'photo-00.jpg')
    expect(opened.library.care.problems(PROBLEMS)).toMatchObject({
      total: 1,
      problems: [{ path: large, error: { code: 'PICTURE_TOO_LARGE' } }],
    })
    expect(opened.library.care.configure({ maxMegapixels: 2 }).retried).toBe(1)
    expect(await opened.index()).toMatchObject({ indexed: 1, failed: [] })
  })

  it('say how many files are read at the same time', async () => {
    let [reading, most] = [0, 0]
    const readSlowly = async (): Promise<never> => {
      most = Math.max(most, ++reading)
      await new Promise((resolve) => setTimeout(resolve, 20))
      reading--
      throw new Error('not this time')
    }
    const slow = await openTestLibrary(path.join(root, 'slow'), { readForIndex: readSlowly })
    await writePhotos(pictures, 8, { ...SIZE, seed: 1 })
    slow.library.care.configure({ concurrency: 1 })
    await slow.library.addFolder(pictures)
    await slow.index()
    expect(most).toBe(1)
    slow.library.care.configure({ concurrency: 3 })
    await slow.index()
    expect(most).toBe(3)
    await slow.close()
  })
})
