import { copyFile, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ItemQuery } from '../../../core/contract/index.ts'
import { encodePhoto, temporaryFolder, writePhotos } from '../../support/pictures.ts'
import { createRandom } from '../../../core/random.ts'
import { fakeJob, openTestLibrary, type OpenedLibrary } from '../../support/library.ts'

const GRID: ItemQuery & { offset: number; limit: number } = { sort: 'name', descending: false, offset: 0, limit: 500 }

let root: string
let pictures: string
let opened: OpenedLibrary

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 6, { width: 96, height: 64 })
  opened = await openTestLibrary(path.join(root, 'library'))
  return () => opened.close()
})

async function reopen(options: Parameters<typeof openTestLibrary>[1] = {}): Promise<void> {
  await opened.close()
  opened = await openTestLibrary(path.join(root, 'library'), options)
}

/** Adds the folder of pictures and indexes it. */
async function addAndIndex() {
  const { folder } = await opened.library.addFolder(pictures)
  return { folder, report: await opened.index(folder.id) }
}

const names = () => opened.library.items(GRID).items.map((item) => item.name)
const idOf = (name: string) => opened.library.items(GRID).items.find((item) => item.name === name)!.id

describe('a folder of pictures', () => {
  it('is read once: a second job decodes nothing', async () => {
    const { report } = await addAndIndex()
    expect(report).toEqual({ scanned: 6, indexed: 6, unchanged: 0, moved: 0, removed: 0, failed: [] })
    expect(opened.decoded).toHaveLength(6)
    expect(await opened.index()).toMatchObject({ scanned: 6, indexed: 0, unchanged: 6 })
    expect(opened.decoded).toHaveLength(6)
  })

  it('shows each picture with its size, thumbnail and descriptor', async () => {
    await addAndIndex()
    const { total, items } = opened.library.items(GRID)
    expect(total).toBe(6)
    expect(items[0]).toMatchObject({ name: 'photo-00.jpg', width: 96, height: 64, state: 'indexed', copies: 1 })
    expect(opened.library.thumbnail(items[0]!.id)!.length).toBeGreaterThan(100)
    expect(opened.library.descriptorOf(items[0]!.id)).toHaveLength(128)
    expect(opened.library.pathOf(items[0]!.id)).toBe(path.join(pictures, 'photo-00.jpg'))
  })

  it('finds nested folders and leaves out hidden ones and other files', async () => {
    await writePhotos(path.join(pictures, 'summer', 'beach'), 1, { width: 64, height: 64, seed: 2 })
    await writePhotos(path.join(pictures, '.cache'), 1, { width: 64, height: 64, seed: 3 })
    await writeFile(path.join(pictures, 'notes.txt'), 'no picture')
    expect((await addAndIndex()).report).toMatchObject({ scanned: 7, indexed: 7, failed: [] })
  })

  it('survives a cancel: what was read is kept and never read again', async () => {
    const { folder } = await opened.library.addFolder(pictures)
    const { job, abort } = fakeJob({ onProgress: () => opened.decoded.length >= 3 && abort.abort() })
    const report = await opened.library.index({ folderId: folder.id }, job)
    const read = opened.decoded.length
    expect(read).toBeLessThan(6)
    expect(report.indexed).toBe(read)
    expect(opened.library.items(GRID).total).toBe(read)

    const before = opened.decoded
    await reopen()
    expect(await opened.index()).toMatchObject({ indexed: 6 - read, unchanged: read })
    expect([...before, ...opened.decoded].sort()).toEqual([...new Set([...before, ...opened.decoded])].sort())
    expect(names()).toHaveLength(6)
  })

  it('counts its progress in files, ending at the total', async () => {
    await writeFile(path.join(pictures, 'letter.jpg'), 'Dear reader, this is no picture.')
    const { folder } = await opened.library.addFolder(pictures)
    const { job, progress } = fakeJob()
    await opened.library.index({ folderId: folder.id }, job)
    expect(progress).toMatchObject({ done: 6, failed: 1, total: 7 })
  })

  it('shares one image among equal files', async () => {
    await copyFile(path.join(pictures, 'photo-00.jpg'), path.join(pictures, 'copy.jpg'))
    expect((await addAndIndex()).report).toMatchObject({ indexed: 7 })
    expect(opened.library.items(GRID).total).toBe(6)
    const [shared] = opened.library.items(GRID).items.filter((item) => item.copies === 2)
    const item = opened.library.item(shared!.id)
    expect(item.files.map((file) => path.basename(file.path)).sort()).toEqual(['copy.jpg', 'photo-00.jpg'])
  })
})

describe('the disk changes', () => {
  beforeEach(async () => {
    await addAndIndex()
  })

  it('a moved and renamed file keeps its image and vector, and is not decoded again', async () => {
    const id = idOf('photo-02.jpg')
    const vector = opened.library.descriptorOf(id)
    await mkdir(path.join(pictures, 'sorted'))
    await rename(path.join(pictures, 'photo-02.jpg'), path.join(pictures, 'sorted', 'sunset.jpg'))
    expect(await opened.index()).toEqual({ scanned: 6, indexed: 0, unchanged: 5, moved: 1, removed: 0, failed: [] })
    expect(opened.decoded).toHaveLength(6)
    expect(idOf('sunset.jpg')).toBe(id)
    expect(opened.library.item(id).files).toHaveLength(1)
    expect(opened.library.descriptorOf(id)).toEqual(vector)
  })

  it('a file moved to another folder of the library is moved, even when only that folder is looked at', async () => {
    const other = path.join(root, 'other')
    await mkdir(other)
    const { folder } = await opened.library.addFolder(other)
    const id = idOf('photo-01.jpg')
    await rename(path.join(pictures, 'photo-01.jpg'), path.join(other, 'photo-01.jpg'))
    expect(await opened.index(folder.id)).toMatchObject({ scanned: 1, moved: 1, indexed: 0 })
    expect(opened.library.item(id).files.map((file) => file.path)).toEqual([path.join(other, 'photo-01.jpg')])
  })

  it('a file replaced in place becomes another image', async () => {
    const id = idOf('photo-03.jpg')
    await writeFile(path.join(pictures, 'photo-03.jpg'), await encodePhoto(createRandom(99), { width: 80, height: 80 }))
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 5, moved: 0 })
    expect(idOf('photo-03.jpg')).not.toBe(id)
    expect(opened.library.item(idOf('photo-03.jpg'))).toMatchObject({ width: 80, height: 80 })
    expect(names()).toHaveLength(6)
    // The old image is not an answer any more…
    const { results } = await opened.library.search([{ descriptor: opened.library.descriptorOf(idOf('photo-00.jpg'))!, handicap: 0 }], {
      k: 20,
    })
    expect(results.map((result) => result.item.id)).not.toContain(id)
    // …and is forgotten with the next start.
    await reopen()
    expect(opened.library.thumbnail(id)).toBeUndefined()
  })

  it('an edit of the metadata alone keeps the image and what was decided about it', async () => {
    const id = idOf('photo-01.jpg')
    const { db } = opened.database
    const [a, b] = [id, idOf('photo-02.jpg')].sort((x, y) => x - y)
    db.prepare(`INSERT INTO decision (a, b, verdict, made_at) VALUES (?, ?, 'keep-both', 0)`).run(a, b)
    const vector = opened.library.descriptorOf(id)
    // A comment segment: the file's bytes change, its pixels do not.
    const bytes = await readFile(path.join(pictures, 'photo-01.jpg'))
    const comment = Buffer.from([0xff, 0xfe, 0, 8, ...Buffer.from('edited')])
    await writeFile(path.join(pictures, 'photo-01.jpg'), Buffer.concat([bytes.subarray(0, 2), comment, bytes.subarray(2)]))
    const before = opened.library.item(id)
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 5 })
    const after = opened.library.item(id)
    expect(after).toMatchObject({ name: 'photo-01.jpg', bytes: before.bytes + 10 })
    expect(after.contentHash).not.toBe(before.contentHash)
    expect(after.url).not.toBe(before.url)
    expect(opened.library.descriptorOf(id)).toEqual(vector)
    expect(db.prepare('SELECT COUNT(*) FROM decision').pluck().get()).toBe(1)
  })

  it('new times on the same bytes cost no decoding', async () => {
    await utimes(path.join(pictures, 'photo-04.jpg'), new Date(), new Date('2020-01-01'))
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 5 })
    expect(opened.decoded).toHaveLength(6)
  })

  it('a deleted file is greyed, not forgotten, and comes back undecoded', async () => {
    const id = idOf('photo-05.jpg')
    const away = path.join(root, 'away.jpg')
    await rename(path.join(pictures, 'photo-05.jpg'), away)
    expect(await opened.index()).toMatchObject({ scanned: 5, removed: 1 })
    expect(opened.library.item(id)).toMatchObject({ state: 'missing', copies: 0 })
    expect(() => opened.library.pathOf(id)).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
    expect(await opened.index()).toMatchObject({ removed: 0 })
    await rename(away, path.join(pictures, 'photo-05.jpg'))
    // Its `ctime` is new, so its bytes are looked at.
    expect(await opened.index()).toMatchObject({ unchanged: 5, indexed: 1 })
    expect(opened.library.item(id).state).toBe('indexed')
    expect(opened.decoded).toHaveLength(6)
  })

  it('an absent folder greys its files and deletes nothing', async () => {
    await rename(pictures, `${pictures}-unplugged`)
    const report = await opened.index()
    expect(report).toMatchObject({ removed: 6, failed: [{ path: pictures, code: 'FOLDER_OFFLINE' }] })
    expect(opened.library.folders()[0]).toMatchObject({ state: 'offline', counts: { missing: 6 } })
    expect(opened.library.items(GRID).total).toBe(6)
    await rename(`${pictures}-unplugged`, pictures)
    expect(await opened.index()).toMatchObject({ unchanged: 6, failed: [] })
    expect(opened.library.folders()[0]).toMatchObject({ state: 'ready', counts: { missing: 0 } })
    expect(opened.decoded).toHaveLength(6)
  })
})

describe('what cannot be indexed', () => {
  it('is reported by name with a code, once for each scan, and not read again until it changes', async () => {
    const whole = await encodePhoto(createRandom(5), { width: 200, height: 150 })
    await writeFile(path.join(pictures, 'empty.jpg'), '')
    await writeFile(path.join(pictures, 'letter.jpg'), 'Dear reader, this is no picture.')
    await writeFile(path.join(pictures, 'short.jpg'), whole.subarray(0, whole.length / 2))
    const { report } = await addAndIndex()
    const codes = Object.fromEntries(report.failed.map((failure) => [path.basename(failure.path), failure.code]))
    expect(codes).toEqual({ 'empty.jpg': 'FILE_EMPTY', 'letter.jpg': 'FORMAT_UNKNOWN', 'short.jpg': 'PICTURE_TRUNCATED' })
    expect(report.indexed).toBe(6)

    const read = opened.decoded.length
    const again = await opened.index()
    expect(again.failed.map(({ code }) => code).sort()).toEqual(report.failed.map(({ code }) => code).sort())
    expect(opened.decoded).toHaveLength(read)
    expect(opened.library.care.problems({ ignored: false, offset: 0, limit: 10 })).toMatchObject({
      total: 3,
      problems: [{ path: path.join(pictures, 'empty.jpg') }, {}, {}],
    })

    await writeFile(path.join(pictures, 'short.jpg'), whole)
    expect(await opened.index()).toMatchObject({ indexed: 1 })
    expect(opened.library.care.problems({ ignored: false, offset: 0, limit: 10 }).total).toBe(2)
  })

  it('names that are not UTF-8 are spelled out and left alone', async () => {
    const name = Buffer.concat([Buffer.from(`${pictures}/caf`), Buffer.from([0xe9]), Buffer.from('.jpg')])
    await writeFile(name, await encodePhoto(createRandom(6), { width: 64, height: 64 }))
    const { report } = await addAndIndex()
    expect(report).toMatchObject({ indexed: 6, failed: [{ path: path.join(pictures, 'caf\\xe9.jpg'), code: 'NAME_NOT_UTF8' }] })
    await rm(name)
    expect(await opened.index()).toMatchObject({ failed: [], removed: 0 })
    expect(opened.library.care.problems({ ignored: false, offset: 0, limit: 10 }).total).toBe(0)
  })

  it('a folder that vanishes while it is read is reported once and what was read is kept', async () => {
    await writePhotos(pictures, 30, { width: 64, height: 48, seed: 7 })
    const { folder } = await opened.library.addFolder(pictures)
    const { job } = fakeJob({
      onProgress: () => opened.decoded.length === 4 && void rename(pictures, `${pictures}-gone`).catch(() => undefined),
    })
    const report = await opened.library.index({ folderId: folder.id }, job)
    expect(report.failed).toEqual([{ path: pictures, code: 'FOLDER_OFFLINE', message: expect.any(String) }])
    expect(opened.library.folders()[0]).toMatchObject({ state: 'offline', counts: { files: 30, missing: 30 } })
    const kept = opened.library.items(GRID).total
    expect(kept).toBeGreaterThanOrEqual(4)

    await rename(`${pictures}-gone`, pictures)
    expect(await opened.index()).toMatchObject({ indexed: 30 - kept, unchanged: kept, failed: [] })
  })

  it('links to folders are not followed, so that a loop ends', async () => {
    await symlink(pictures, path.join(pictures, 'loop'))
    expect((await addAndIndex()).report).toMatchObject({ scanned: 6, failed: [] })
  })
})
