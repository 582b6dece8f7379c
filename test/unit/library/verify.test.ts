import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { fakeJob, openTestLibrary, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const SIZE = { width: 64, height: 48 }

let root: string
let pictures: string
let opened: OpenedLibrary

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 5, { ...SIZE, seed: 1 })
  opened = await openTestLibrary(path.join(root, 'library'))
  await opened.library.addFolder(pictures)
  await opened.index()
  return () => opened.close()
})

const verify = (thorough = false, job = fakeJob().job) => opened.library.care.verify({ thorough }, job)
const file = (index: number) => path.join(pictures, `photo-0${index}.jpg`)
const sql = (text: string) => opened.database.db.prepare(text).run()
const idOf = (name: string) => opened.library.items({ sort: 'name', descending: false, offset: 0, limit: 9, text: name }).items[0]!.id

describe('verifying', () => {
  it('says of a sound library that it is, and touches nothing', async () => {
    const changes = opened.database.db.pragma('data_version')
    const read = opened.decoded.length
    const { progress, job } = fakeJob()
    const { report, stale } = await verify(true, job)
    expect(report).toEqual({
      checked: { files: 5, hashed: 5, images: 5, vectors: 5 },
      ...{ repaired: [], problems: [], problemCount: 0, recall: null },
    })
    expect(stale).toBe(false)
    expect(progress).toMatchObject({ done: 15, total: 15, failed: 0 })
    expect(opened.decoded).toHaveLength(read)
    expect(opened.database.db.pragma('data_version')).toEqual(changes)
  })

  it('follows the disk: files that went, changed and came back', async () => {
    await rename(file(0), path.join(root, 'aside.jpg'))
    await opened.index()
    await rename(path.join(root, 'aside.jpg'), file(0))
    await rm(file(1))
    await writeFile(file(2), 'Dear Sir or Madam')
    const { report, stale } = await verify()
    expect(Object.fromEntries(report.repaired.map(({ what, count }) => [what, count]))).toEqual({
      'file-returned': 1,
      'file-missing': 1,
      'file-changed': 1,
    })
    expect(stale).toBe(true)
    expect(opened.library.status()).toMatchObject({ missing: 1 })
    await opened.index()
    expect(opened.library.care.problems({ ignored: false, offset: 0, limit: 9 }).problems.map((problem) => problem.path)).toEqual([file(2)])
    expect((await verify()).report.repaired).toEqual([])
  })

  it('thorough, tells bytes that changed while size and times did not, again and again, and leaves them', async () => {
    const { mtime, atime, size } = await stat(file(3))
    const noted = opened.database.db.prepare<[string], number>(`SELECT mtime FROM file WHERE path = ?`).pluck().get(file(3))!
    await writeFile(file(3), Buffer.alloc(size, 7))
    await utimes(file(3), atime, mtime)
    // What a failing disk does, it does without telling the file system.
    const now = await stat(file(3))
    opened.database.db
      .prepare(`UPDATE file SET mtime = ?, ctime = ? WHERE path = ?`)
      .run(Math.round(now.mtimeMs * 1000), Math.round(now.ctimeMs * 1000), file(3))
    expect(noted).toBeGreaterThan(0)
    expect((await verify()).report.problemCount).toBe(0)
    for (let round = 0; round < 2; round++) {
      const { report, stale } = await verify(true)
      expect(report).toMatchObject({ problemCount: 1, problems: [{ what: 'content-changed', path: file(3) }], repaired: [] })
      expect(stale).toBe(false)
    }
    expect(await stat(file(3))).toMatchObject({ size, mtimeMs: now.mtimeMs })
  })

  it('makes lost thumbnails and vectors again', async () => {
    const [lost, unsized, twisted] = [idOf('photo-00'), idOf('photo-01'), idOf('photo-02')]
    const thumbnail = opened.library.thumbnail(lost)
    sql(`DELETE FROM thumbnail WHERE image = ${lost}`)
    sql(`DELETE FROM vector WHERE image = ${lost}`)
    sql(`UPDATE vector SET data = x'0000' WHERE image = ${unsized}`)
    sql(`UPDATE vector SET data = zeroblob(512) WHERE image = ${twisted}`)
    const { report, stale } = await verify()
    expect(Object.fromEntries(report.repaired.map(({ what, count }) => [what, count]))).toEqual({
      'thumbnail-missing': 1,
      'vector-missing': 1,
      'vector-damaged': 2,
    })
    expect(report.problems).toEqual([])
    expect(stale).toBe(true)
    expect(opened.library.thumbnail(lost)).toEqual(thumbnail)
    await opened.index()
    for (const id of [lost, unsized, twisted]) expect(opened.library.descriptorOf(id)).toHaveLength(128)
    expect((await verify()).report.repaired).toEqual([])
  })

  it('tells a thumbnail that cannot be made again', async () => {
    const id = idOf('photo-04')
    sql(`DELETE FROM thumbnail WHERE image = ${id}`)
    await writeFile(file(4), 'Dear Sir or Madam')
    opened.database.db.prepare(`UPDATE file SET ctime = NULL WHERE path = ?`).run(file(4))
    const { size, mtimeMs } = await stat(file(4))
    opened.database.db.prepare(`UPDATE file SET size = ?, mtime = ? WHERE path = ?`).run(size, Math.round(mtimeMs * 1000), file(4))
    const { report } = await verify()
    expect(report.problems).toMatchObject([{ what: 'thumbnail-missing', path: file(4) }])
  })

  it('clears rows that refer to nothing, and labels anew what stands for a picture', async () => {
    opened.database.db.pragma('foreign_keys = OFF')
    sql(`INSERT INTO thumbnail VALUES (900, x'00')`)
    sql(`INSERT INTO vector (image, encoder, data) VALUES (901, 1, x'00')`)
    sql(`UPDATE file SET shown = 0 WHERE path = '${file(0)}'`)
    opened.database.db.pragma('foreign_keys = ON')
    const { report } = await verify()
    expect(Object.fromEntries(report.repaired.map(({ what, count }) => [what, count]))).toEqual({ label: 1, orphan: 2 })
    expect(opened.library.items({ sort: 'name', descending: false, offset: 0, limit: 9 }).total).toBe(5)
    expect(opened.database.db.pragma('foreign_key_check')).toEqual([])
  })

  it('tells what it could not look at: an absent drive, and damage that SQLite finds', async () => {
    await rename(pictures, `${pictures}-unplugged`)
    const offline = await verify()
    expect(offline.report).toMatchObject({ checked: { files: 0, images: 5 }, problems: [{ what: 'folder-offline', path: pictures }] })
    expect(opened.library.status().missing).toBe(0)
    opened.database.db.pragma('ignore_check_constraints = ON')
    sql(`UPDATE file SET state = 'nonsense' WHERE path = '${file(0)}'`)
    const damaged = await verify()
    expect(damaged.report).toMatchObject({
      checked: { files: 0 },
      problemCount: 1,
      problems: [{ what: 'database', message: expect.stringContaining('CHECK') }],
    })
  })

  it('is cancelled between two files, and an index job can run meanwhile', async () => {
    const { job, abort } = fakeJob({ onProgress: ({ done }) => done >= 2 && abort.abort() })
    await expect(verify(true, job)).rejects.toMatchObject({ name: 'AbortError' })
    const [{ report }] = await Promise.all([verify(true), opened.index()])
    expect(report).toMatchObject({ problemCount: 0, repaired: [] })
  })
})

describe('compacting', () => {
  it('gives room back, and what was taken out is gone for good', async () => {
    const large = path.join(root, 'large')
    await writePhotos(large, 12, { width: 640, height: 480, seed: 3 })
    const { folder } = await opened.library.addFolder(large)
    await opened.index()
    opened.library.removeFolder(folder.id)
    expect(opened.library.care.undoable()).toHaveLength(1)
    const { before, after } = await opened.library.care.compact(fakeJob().job)
    expect(after).toBeLessThan(before - 12 * 10_000)
    expect(opened.library.care.undoable()).toEqual([])
    expect(opened.library.care.storage().free).toBe(0)
    expect(opened.database.db.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(opened.library.status()).toMatchObject({ files: 5, images: 5 })
  })
})

it('the parts of the storage add up to the database', async () => {
  const { catalog, thumbnails, vectors, snapshot, backups } = opened.library.care.storage()
  const pages = opened.database.db.pragma('page_count', { simple: true }) as number
  expect(catalog + thumbnails + vectors).toBe(pages * 4096)
  expect(vectors).toBe(5 * 128 * 4)
  const real = opened.database.db.prepare<[], number>(`SELECT SUM(length(data)) FROM thumbnail`).pluck().get()!
  expect(thumbnails / real).toBeGreaterThan(0.5)
  expect(thumbnails / real).toBeLessThan(2)
  expect([snapshot, backups]).toEqual([0, 0])
})
