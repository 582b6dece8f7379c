import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import { mapPath } from '../../../core/library/importLibrary.ts'
import { fakeInference, fakeJob, openTestLibrary, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const GRID = { sort: 'name', descending: false, offset: 0, limit: 500 } as const
const SIZE = { width: 64, height: 48 }
const VERSION = '9.9.9'

let root: string
let pictures: string
let file: string
let opened: OpenedLibrary

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  file = path.join(root, 'mine.lucidex')
  await writePhotos(pictures, 3, { ...SIZE, seed: 1 })
  await writePhotos(path.join(pictures, 'inner'), 3, { ...SIZE, seed: 2 })
  opened = await openTestLibrary(path.join(root, 'library'))
  await opened.library.addFolder(pictures)
  await opened.index()
  return () => opened.close()
})

const exportTo = (target: string, { overwrite = false, job = fakeJob().job } = {}) =>
  opened.library.care.export({ path: target, overwrite }, VERSION, job)

/** Another library, as on another machine. */
async function another(name = 'another', inference = fakeInference()) {
  const other = await openTestLibrary(path.join(root, name), { inference })
  return {
    ...other,
    take: (map: { from: string; to: string }[] = [], job = fakeJob().job) => other.library.care.import({ path: file, map }, job),
    items: () => other.library.items(GRID),
  }
}

const decide = ({ database }: OpenedLibrary, a: number, b: number) =>
  database.db.prepare(`INSERT INTO decision VALUES (?, ?, 'keep-both', 5)`).run(a, b)

describe('exporting and importing', () => {
  it('brings everything over, and nothing is read again', async () => {
    const [first, second] = opened.library.items(GRID).items
    decide(opened, first!.id, second!.id)
    expect(await exportTo(file)).toMatchObject({ path: file, folders: 1, files: 6, images: 6, bytes: expect.any(Number) })
    const other = await another()
    expect(await other.library.care.inspect(file)).toMatchObject({
      version: VERSION,
      images: 6,
      sameEncoder: true,
      folders: [{ path: pictures, files: 6, found: true }],
    })
    expect(await other.take()).toEqual({
      folders: [{ from: pictures, path: pictures, offline: false }],
      ...{ files: 6, knownFiles: 0, images: 6, knownImages: 0, vectors: 6, decisions: 1 },
    })
    expect(await other.index()).toMatchObject({ scanned: 6, unchanged: 6, indexed: 0 })
    expect(other.decoded).toEqual([])
    expect(other.inference.encoded).toBe(0)
    const ours = opened.library.items(GRID).items
    for (const [at, item] of other.items().items.entries()) {
      expect(item).toMatchObject({ name: ours[at]!.name, state: 'indexed', width: 64, copies: 1 })
      expect(other.library.thumbnail(item.id)).toEqual(opened.library.thumbnail(ours[at]!.id))
      expect(other.library.descriptorOf(item.id)).toEqual(opened.library.descriptorOf(ours[at]!.id))
    }
    expect(other.database.db.prepare(`SELECT COUNT(*) FROM image WHERE perceptual_hash = 0`).pluck().get()).toBe(0)
    expect(hashesOf(other)).toEqual(hashesOf(opened))
    await other.close()
  })

  it('finds the pictures where they lie on this machine', async () => {
    await exportTo(file)
    const moved = path.join(root, 'elsewhere', 'photos')
    await cp(pictures, moved, { recursive: true, preserveTimestamps: true })
    const other = await another()
    const { folders } = await other.take([{ from: pictures, to: moved }])
    expect(folders).toEqual([{ from: pictures, path: moved, offline: false }])
    // Copying may have cut their times: what was changed is known by its bytes.
    const { unchanged, indexed } = await other.index()
    expect(unchanged + indexed).toBe(6)
    expect(other.decoded).toEqual([])
    expect(other.library.pathOf(other.items().items[0]!.id).startsWith(moved)).toBe(true)
    await other.close()
  })

  it('shows pictures whose drive is not there as missing, until it is', async () => {
    await exportTo(file)
    await rename(pictures, `${pictures}-unplugged`)
    const other = await another()
    expect((await other.take()).folders).toEqual([{ from: pictures, path: pictures, offline: true }])
    expect(other.items().items.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'missing'))
    expect(other.library.folders()).toMatchObject([{ path: pictures, state: 'offline' }])
    await rename(`${pictures}-unplugged`, pictures)
    expect(await other.index()).toMatchObject({ unchanged: 6 })
    expect(other.items().items.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'indexed'))
    expect(other.decoded).toEqual([])
    await other.close()
  })

  it('doubles nothing that is known here, also by another name and twice imported', async () => {
    await exportTo(file)
    const other = await another()
    const own = path.join(root, 'own')
    await mkdir(own)
    await copyFile(path.join(pictures, 'photo-00.jpg'), path.join(own, 'same.jpg'))
    await other.library.addFolder(own)
    await other.index()
    const { id } = other.items().items[0]!
    expect(await other.take()).toMatchObject({ files: 6, images: 5, knownImages: 1 })
    await other.index()
    expect(other.library.status()).toMatchObject({ files: 7, images: 6, vectors: 6 })
    expect(
      other.library
        .item(id)
        .files.map(({ path: each }) => path.basename(each))
        .sort(),
    ).toEqual(['photo-00.jpg', 'same.jpg'])
    expect(await other.take()).toMatchObject({ files: 0, knownFiles: 6, images: 0, knownImages: 6, vectors: 0 })
    await other.index()
    expect(other.library.status()).toMatchObject({ files: 7, images: 6, vectors: 6 })
    expect(other.library.folders()).toHaveLength(2)
    await other.close()
  })

  it('puts a folder into the one that covers it, takes in those inside it, and shows one that was taken out', async () => {
    await exportTo(file)
    const covering = await another()
    await covering.library.addFolder(root)
    await covering.take()
    expect(covering.library.folders().map((folder) => folder.path)).toEqual([root])
    expect(covering.library.status()).toMatchObject({ files: 6, images: 6 })
    await covering.close()

    const inside = await another('inside')
    const { folder } = await inside.library.addFolder(path.join(pictures, 'inner'))
    await inside.index()
    inside.library.removeFolder(folder.id)
    await inside.take()
    await inside.index()
    expect(inside.library.folders().map((each) => each.path)).toEqual([pictures])
    expect(inside.library.status()).toMatchObject({ files: 6, images: 6, missing: 0 })
    await inside.close()
  })

  it('takes no vectors of another encoder, and computes its own', async () => {
    await exportTo(file)
    const other = await another('another', fakeInference(2))
    expect((await other.library.care.inspect(file)).sameEncoder).toBe(false)
    expect(await other.take()).toMatchObject({ images: 6, vectors: 0 })
    await other.index()
    expect(other.library.status()).toMatchObject({ images: 6, vectors: 6 })
    await other.close()
  })

  it('leaves out what was taken out of the library', async () => {
    const second = path.join(root, 'second')
    await writePhotos(second, 2, { ...SIZE, seed: 3 })
    const { folder } = await opened.library.addFolder(second)
    await opened.index()
    opened.library.removeFolder(folder.id)
    expect(await exportTo(file)).toMatchObject({ folders: 1, files: 6, images: 6 })
    expect(Buffer.from(await readFile(file)).includes(second)).toBe(false)
  })
})

describe('an export', () => {
  it('leaves a file that is there alone, unless told to replace it', async () => {
    await writeFile(file, 'precious')
    await expect(exportTo(file)).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    expect(await readFile(file, 'utf8')).toBe('precious')
    expect(await exportTo(file, { overwrite: true })).toMatchObject({ images: 6 })
  })

  it('leaves nothing behind when it is cancelled or cannot be written', async () => {
    const before = await readdir(root)
    const { job, abort } = fakeJob({ onProgress: ({ total }) => total !== null && abort.abort() })
    await expect(exportTo(file, { job })).rejects.toMatchObject({ name: 'AbortError' })
    await expect(exportTo(path.join(root, 'nowhere', 'mine.lucidex'))).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' })
    expect(await readdir(root)).toEqual(before)
    // The library goes on.
    expect(await exportTo(file)).toMatchObject({ images: 6 })
  })

  it('is made while the library is being indexed, and is of one moment', async () => {
    await writePhotos(path.join(pictures, 'more'), 12, { ...SIZE, seed: 4 })
    const [report] = await Promise.all([exportTo(file), opened.index()])
    const other = await another()
    expect(await other.take()).toMatchObject({ files: report.files, images: report.images })
    expect(other.database.db.pragma('foreign_key_check')).toEqual([])
    await other.close()
  })
})

describe('an import', () => {
  const state = ({ library, database }: OpenedLibrary) => ({
    folders: library.folders(),
    status: { ...library.status(), vectors: 0, bytes: 0, index: null },
    rows: ['folder', 'file', 'image', 'thumbnail', 'vector', 'decision'].map((table) =>
      database.db.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get(),
    ),
  })

  it('that is cancelled leaves nothing', async () => {
    await exportTo(file)
    const other = await another()
    const before = state(other)
    for (const stopAt of [0, 6]) {
      const { job, abort } = fakeJob({ onProgress: ({ done, total }) => total !== null && done >= stopAt && abort.abort() })
      await expect(other.take([], job)).rejects.toMatchObject({ name: 'AbortError' })
      expect(state(other)).toEqual(before)
    }
    expect(await other.take()).toMatchObject({ images: 6 })
    await other.close()
  })

  it('on a full disk says so and leaves nothing', async () => {
    await writePhotos(path.join(pictures, 'more'), 30, { width: 320, height: 240, seed: 5 })
    await opened.index()
    await exportTo(file)
    const other = await another()
    const before = state(other)
    const pages = other.database.db.pragma('page_count', { simple: true }) as number
    other.database.db.pragma(`max_page_count = ${pages + 40}`)
    await expect(other.take()).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(state(other)).toEqual(before)
    other.database.db.pragma('max_page_count = 1000000')
    expect(await other.take()).toMatchObject({ images: 36 })
    await other.close()
  })

  it('killed midway is forgotten by the next start', async () => {
    await exportTo(file)
    const other = await another()
    // What is there between the beginning and the end of an import.
    other.database.db.prepare(`INSERT INTO folder (path, added_at, removed_at) VALUES ('import:1', 1, 1)`).run()
    await other.close()
    const again = await another()
    expect(again.database.db.prepare(`SELECT COUNT(*) FROM folder`).pluck().get()).toBe(0)
    await again.close()
  })

  it('refuses what is no exported library, is damaged, holds programs or is of a newer version', async () => {
    const other = await another()
    const whole = path.join(root, 'whole.lucidex')
    await exportTo(whole)
    const refused = async (code: string, change: (db: Database.Database) => void) => {
      await copyFile(whole, file)
      const db = new Database(file)
      change(db)
      db.close()
      const before = await readFile(file)
      await expect(other.take()).rejects.toMatchObject({ code, path: file })
      expect(await readFile(file)).toEqual(before)
    }
    await refused('LIBRARY_FROM_FUTURE', (db) => db.pragma('user_version = 999'))
    await refused('FORMAT_UNKNOWN', (db) => db.pragma('application_id = 0'))
    await refused('LIBRARY_CORRUPT', (db) => db.exec(`CREATE TRIGGER evil AFTER INSERT ON file BEGIN SELECT 1; END`))
    await refused('LIBRARY_CORRUPT', (db) => db.exec(`DELETE FROM export`))

    const bytes = await readFile(whole)
    bytes.fill(0x55, 4096 * 3, 4096 * 12)
    await writeFile(file, bytes)
    await expect(other.take()).rejects.toMatchObject({ code: 'LIBRARY_CORRUPT' })
    await writeFile(file, bytes.subarray(0, 5000))
    await expect(other.take()).rejects.toMatchObject({ code: 'LIBRARY_CORRUPT' })
    await writeFile(file, 'Dear Sir or Madam')
    await expect(other.library.care.inspect(file)).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' })
    await rm(file)
    await expect(other.take()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(other.library.status()).toMatchObject({ files: 0, images: 0 })
    await other.close()
  })

  it('believes no path that leads out of its folder, and no vector that is none', async () => {
    await exportTo(file)
    const db = new Database(file)
    db.prepare(`UPDATE file SET path = ? WHERE id = 1`).run(path.join(pictures, '..', 'secret', 'photo-00.jpg'))
    db.prepare(`UPDATE file SET path = ? WHERE id = 2`).run(`${pictures}/../secret.jpg`)
    db.prepare(`UPDATE vector SET data = zeroblob(512) WHERE id = 1`).run()
    db.prepare(`UPDATE vector SET data = x'00' WHERE id = 2`).run()
    db.close()
    const other = await another()
    const { files, vectors } = await other.take()
    expect(files).toBeLessThan(6)
    expect(vectors).toBe(4)
    expect(
      other.items().items.every(({ id }) => other.library.item(id).files.every(({ path: each }) => each.startsWith(`${pictures}/`))),
    ).toBe(true)
    await other.close()
  })
})

describe('where a folder lies here', () => {
  it('is where the longest of the given folders that holds it does', () => {
    const cases = [
      ['/mnt/a/b', [{ from: '/mnt/a', to: '/x' }], '/', '/x/b'],
      ['/mnt/a', [{ from: '/mnt/a/', to: '/x' }], '/', '/x'],
      ['/mnt/ab', [{ from: '/mnt/a', to: '/x' }], '/', '/mnt/ab'],
      [
        '/mnt/a/b/c',
        [
          { from: '/mnt', to: '/y' },
          { from: '/mnt/a', to: '/x' },
        ],
        '/',
        '/x/b/c',
      ],
      ['C:\\Pictures\\2024', [{ from: 'C:\\Pictures', to: '/home/p' }], '\\', '/home/p/2024'],
      ['D:\\Pictures', [], '\\', 'D:\\Pictures'],
    ] as const
    for (const [folder, map, separator, wanted] of cases) expect(mapPath(folder, map, separator)).toBe(wanted)
  })

  it('must be said for a path of another system', async () => {
    await exportTo(file)
    const db = new Database(file)
    db.exec(`UPDATE folder SET path = 'C:\\Pictures'`)
    db.exec(`UPDATE export SET separator = '\\'`)
    db.close()
    const other = await another()
    await expect(other.take()).rejects.toMatchObject({ code: 'BAD_REQUEST', path: 'C:\\Pictures' })
    expect(other.database.db.prepare(`SELECT COUNT(*) FROM folder`).pluck().get()).toBe(0)
    await other.close()
  })
})

function hashesOf({ database }: OpenedLibrary) {
  return database.db.prepare(`SELECT content_hash, CAST(perceptual_hash AS TEXT) FROM image ORDER BY content_hash`).raw().all()
}
