/** The library follows what happens to files on the disk. */
import { appendFile, chmod, copyFile, link, mkdir, rename, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createRandom } from '../../../core/random.ts'
import { readForIndex } from '../../../core/images/index.ts'
import { openTestLibrary, type OpenedLibrary } from '../../support/library.ts'
import { encodePhoto, temporaryFolder, writePhotos } from '../../support/pictures.ts'

const GRID = { sort: 'name', descending: false, offset: 0, limit: 500 } as const

let root: string
let pictures: string
let opened: OpenedLibrary
let folderId: number

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(path.join(pictures, 'a'), 3, { width: 64, height: 48 })
  await writePhotos(path.join(pictures, 'b'), 2, { width: 64, height: 48, seed: 2 })
  opened = await openTestLibrary(path.join(root, 'library'))
  folderId = (await opened.library.addFolder(pictures)).folder.id
  await opened.index()
  opened.decoded.length = 0
  return () => opened.close()
})

const inside = (...parts: string[]) => path.join(pictures, ...parts)
const items = () => opened.library.items(GRID).items
const idOf = (file: string) => items().find((item) => opened.library.item(item.id).files.some((held) => held.path === file))!.id
const photo = (seed: number) => encodePhoto(createRandom(seed), { width: 64, height: 48 })

/** The pictures, what was decided about them and which image each file stands for. */
function decide(): { kept(): boolean } {
  const { db } = opened.database
  const ids = items().map(({ id }) => id)
  const [a, b] = [ids[0]!, ids[1]!].sort((x, y) => x - y)
  db.prepare(`INSERT INTO decision (a, b, verdict, made_at) VALUES (?, ?, 'keep-both', 0)`).run(a, b)
  return {
    kept: () =>
      db.prepare('SELECT COUNT(*) FROM decision').pluck().get() === 1 &&
      items()
        .map(({ id }) => id)
        .sort()
        .join() === ids.sort().join(),
  }
}

describe('moved and renamed', () => {
  it('a renamed folder costs no reading, and keeps images and decisions', async () => {
    const decision = decide()
    const { db } = opened.database
    await rename(inside('a'), inside('summer 2024'))
    // Were the files read, their hashes would not be known any more.
    const hashes = db.prepare('SELECT id, content_hash FROM image').all() as { id: number; content_hash: string }[]
    for (const { id, content_hash } of hashes) db.prepare('UPDATE image SET content_hash = ? WHERE id = ?').run(`?${content_hash}`, id)
    expect(await opened.index()).toEqual({ scanned: 5, indexed: 0, unchanged: 2, moved: 3, removed: 0, failed: [] })
    expect(opened.decoded).toEqual([])
    expect(decision.kept()).toBe(true)
    expect(opened.library.folders()[0]!.counts).toMatchObject({ files: 5, images: 5, missing: 0 })
  })

  it('a folder moved from one folder of the library to another takes its images along', async () => {
    const other = path.join(root, 'other')
    await mkdir(other)
    const { folder } = await opened.library.addFolder(other)
    const decision = decide()
    await rename(inside('a'), path.join(other, 'a'))
    expect(await opened.index(folder.id)).toMatchObject({ scanned: 3, moved: 3, indexed: 0 })
    expect(decision.kept()).toBe(true)
    expect(opened.decoded).toEqual([])
  })

  it.each([
    ['in case', 'photo-01.jpg', 'PHOTO-01.JPG'],
    ['in how Unicode spells it', 'caf\u00e9.jpg', 'cafe\u0301.jpg'],
  ])('a name that differs only %s is a renamed file', async (_, before, after) => {
    if (before !== 'photo-01.jpg') await writeFile(inside('a', before), await photo(50))
    await opened.index()
    const id = idOf(inside('a', before))
    opened.decoded.length = 0
    await rename(inside('a', before), inside('a', after))
    expect(await opened.index()).toMatchObject({ moved: 1, indexed: 0, removed: 0 })
    expect(idOf(inside('a', after))).toBe(id)
    expect(opened.library.item(id).files).toHaveLength(1)
    expect(opened.decoded).toEqual([])
    expect(opened.library.items({ ...GRID, text: after.toLowerCase().normalize('NFC') }).items.map((item) => item.id)).toContain(id)
  })

  it('two names exchanged exchange their images', async () => {
    const [one, two] = [inside('a', 'photo-00.jpg'), inside('a', 'photo-01.jpg')]
    const [first, second] = [idOf(one), idOf(two)]
    await rename(one, inside('a', 'x'))
    await rename(two, one)
    await rename(inside('a', 'x'), two)
    await opened.index()
    expect([idOf(one), idOf(two)]).toEqual([second, first])
    expect(opened.decoded).toEqual([])
  })
})

describe('copied and linked', () => {
  it('a copied folder adds files and no images', async () => {
    await mkdir(inside('c'))
    for (const name of ['photo-00.jpg', 'photo-01.jpg']) await copyFile(inside('a', name), inside('c', name))
    expect(await opened.index()).toMatchObject({ scanned: 7, indexed: 2, moved: 0 })
    expect(items()).toHaveLength(5)
    expect(opened.library.item(idOf(inside('c', 'photo-00.jpg'))).files).toHaveLength(2)
    expect(opened.decoded).toEqual([])
  })

  it('a hard link stands for the same image, and the last of two names keeps it', async () => {
    await link(inside('a', 'photo-00.jpg'), inside('b', 'linked.jpg'))
    await opened.index()
    const id = idOf(inside('b', 'linked.jpg'))
    expect(opened.library.item(id).copies).toBe(2)
    await unlink(inside('a', 'photo-00.jpg'))
    await opened.index()
    expect(opened.library.item(id)).toMatchObject({ state: 'indexed', name: 'linked.jpg', copies: 1 })
    expect(opened.decoded).toEqual([])
  })

  it('links to files are followed; links to folders, loops and links to nothing are not', async () => {
    await writePhotos(path.join(root, 'elsewhere'), 1, { width: 64, height: 48, seed: 9 })
    await symlink(path.join(root, 'elsewhere', 'photo-00.jpg'), inside('linked.jpg'))
    await symlink(path.join(root, 'elsewhere'), inside('folder'))
    await symlink(pictures, inside('a', 'loop'))
    await symlink(inside('gone.jpg'), inside('nothing.jpg'))
    await symlink(inside('itself.jpg'), inside('itself.jpg'))
    expect(await opened.index()).toMatchObject({ scanned: 6, indexed: 1, failed: [] })
    expect(idOf(inside('linked.jpg'))).toBeDefined()
  })
})

describe('replaced in place', () => {
  it('by other bytes of the same size and time of modification', async () => {
    const file = inside('a', 'photo-00.jpg')
    // Behind its end a JPEG takes any bytes.
    const padded = async (seed: number) => Buffer.concat([await photo(seed), Buffer.alloc(20_000)]).subarray(0, 20_000)
    await writeFile(file, await padded(77))
    await opened.index()
    const before = idOf(file)
    const { atime, mtime } = await stat(file)
    await writeFile(file, await padded(78))
    await utimes(file, atime, mtime)
    expect(await opened.index()).toMatchObject({ indexed: 1 })
    expect(idOf(file)).not.toBe(before)
  })

  it.each(['1985-10-26', '2085-10-26'])('at a time that is said to be %s', async (when) => {
    const file = inside('a', 'photo-00.jpg')
    const before = idOf(file)
    await utimes(file, new Date(), new Date('2024-05-05'))
    await opened.index()
    await writeFile(file, await photo(78))
    await utimes(file, new Date(), new Date(when))
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 4 })
    expect(idOf(file)).not.toBe(before)
  })

  it('rights alone cost one look at the bytes', async () => {
    await chmod(inside('a', 'photo-00.jpg'), 0o600)
    expect(await opened.index()).toMatchObject({ indexed: 1, unchanged: 4 })
    expect(opened.decoded).toEqual([])
    expect(await opened.index()).toMatchObject({ indexed: 0, unchanged: 5 })
  })

  it('a library from before it knew about `ctime` takes it down without reading', async () => {
    opened.database.db.exec('UPDATE file SET ctime = NULL')
    expect(await opened.index()).toMatchObject({ unchanged: 5 })
    expect(opened.database.db.prepare('SELECT COUNT(*) FROM file WHERE ctime IS NULL').pluck().get()).toBe(0)
  })
})

describe('a file that is being written', () => {
  it('is read again when it is quiet, and not kept half', async () => {
    const whole = await photo(60)
    const file = inside('a', 'growing.jpg')
    await opened.close()
    let reads = 0
    opened = await openTestLibrary(path.join(root, 'library'), {
      readForIndex: async (wanted) => {
        const picture = await readForIndex(wanted)
        // More bytes arrive between the reading and the end of the first decoding.
        if (wanted === file && reads++ === 0) await appendFile(file, Buffer.alloc(100))
        return picture
      },
    })
    await writeFile(file, whole)
    expect(await opened.index()).toMatchObject({ indexed: 1, failed: [] })
    expect(reads).toBe(2)
    expect(opened.library.item(idOf(file)).bytes).toBe(whole.length + 100)
    expect(await opened.index()).toMatchObject({ unchanged: 6 })
  })
})

describe('the drive', () => {
  it('an empty place on another drive is an absent drive', async () => {
    const { db } = opened.database
    await rename(pictures, `${pictures}-unplugged`)
    await mkdir(pictures)
    // The folder where the drive was mounted lies on the system's own.
    db.prepare('UPDATE folder SET device = device + 1').run()
    expect(await opened.index()).toMatchObject({ removed: 5, failed: [{ path: pictures, code: 'FOLDER_OFFLINE' }] })
    expect(opened.library.folders()[0]).toMatchObject({ state: 'offline', counts: { files: 5, missing: 5 } })
    await rm(pictures, { recursive: true })
    await rename(`${pictures}-unplugged`, pictures)
    expect(await opened.index()).toMatchObject({ unchanged: 5, failed: [] })
    expect(opened.library.folders()[0]).toMatchObject({ state: 'ready', counts: { missing: 0 } })
    expect(opened.decoded).toEqual([])
  })

  it('a folder emptied where it is, is an empty folder', async () => {
    for (const name of ['a', 'b']) await rm(inside(name), { recursive: true })
    expect(await opened.index()).toMatchObject({ removed: 5, failed: [] })
    expect(opened.library.folders()[0]).toMatchObject({ state: 'ready', counts: { missing: 5 } })
  })
})

describe('what is left out', () => {
  const system = ['.Trash-1000', '$Recycle.Bin', '@eaDir', 'System Volume Information', '#snapshot', '.thumbnails', '__MACOSX']

  it('hidden and system folders are, other folders are not', async () => {
    for (const [at, name] of system.entries()) await writePhotos(inside('a', name), 1, { width: 64, height: 48, seed: 20 + at })
    await writePhotos(inside('node_modules'), 1, { width: 64, height: 48, seed: 40 })
    expect(await opened.index()).toMatchObject({ scanned: 6, indexed: 1 })
  })

  it('patterns take pictures out of the library and give them back undecoded, and the disk is left alone', async () => {
    await writePhotos(inside('a', 'Exports'), 2, { width: 64, height: 48, seed: 5 })
    await opened.index()
    opened.decoded.length = 0
    const before = items().map(({ id }) => id)
    expect(opened.library.configureFolder(folderId, '# what the editor writes\nexports/\n*-02.jpg\n')).toMatchObject({
      ignore: '# what the editor writes\nexports/\n*-02.jpg\n',
    })
    expect(await opened.index()).toMatchObject({ scanned: 4, unchanged: 4, removed: 3, failed: [] })
    expect(items()).toHaveLength(4)
    expect(opened.library.folders()[0]!.counts).toMatchObject({ files: 4, images: 4, missing: 0 })
    await stat(inside('a', 'Exports', 'photo-00.jpg'))

    opened.library.configureFolder(folderId, '')
    expect(await opened.index()).toMatchObject({ scanned: 7, indexed: 3, unchanged: 4 })
    expect(items().map(({ id }) => id)).toEqual(before)
    expect(opened.decoded).toEqual([])
  })

  it('patterns are kept, are relative to the folder and may be taken back within', async () => {
    opened.library.configureFolder(folderId, '/a/*\n!/a/photo-01.jpg')
    await opened.close()
    opened = await openTestLibrary(path.join(root, 'library'))
    await opened.index()
    expect(items().map(({ name }) => name)).toEqual(['photo-00.jpg', 'photo-01.jpg', 'photo-01.jpg'])
    expect(() => opened.library.configureFolder(99, '')).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_FOUND' }))
  })

  it('while its drive is absent, patterns take nothing out', async () => {
    await rename(pictures, `${pictures}-unplugged`)
    opened.library.configureFolder(folderId, 'a/')
    await opened.index()
    expect(opened.library.folders()[0]).toMatchObject({ state: 'offline', counts: { files: 5, missing: 5 } })
  })
})
