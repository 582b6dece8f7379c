import { describe, expect, it } from 'vitest'
import { Batcher } from '../../../core/library/batcher.ts'
import { coveringFolder, covers } from '../../../core/library/folders.ts'
import { checkPatterns, ignoring } from '../../../core/library/ignore.ts'
import { Notifier } from '../../../core/library/notifier.ts'
import { matters } from '../../../core/library/watch.ts'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a batcher', () => {
  it('hands on full batches in order, one at a time, and makes the adder wait', async () => {
    const batches: number[][] = []
    let running = 0
    const batcher = new Batcher<number>(3, 10_000, async (batch) => {
      expect(++running).toBe(1)
      await wait(5)
      running--
      batches.push(batch)
    })
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((number) => batcher.add(number)))
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    await batcher.flush()
    expect(batches[2]).toEqual([7])
  })

  it('hands on early what has waited long', async () => {
    const batches: number[][] = []
    const batcher = new Batcher<number>(100, 20, async (batch) => void batches.push(batch))
    await batcher.add(1)
    await batcher.add(2)
    await wait(60)
    expect(batches).toEqual([[1, 2]])
  })

  it('fails for good when a batch fails', async () => {
    const batcher = new Batcher<number>(1, 1000, async () => {
      throw new Error('disk full')
    })
    await expect(batcher.add(1)).rejects.toThrow('disk full')
    await expect(batcher.flush()).rejects.toThrow('disk full')
  })
})

it('a notifier tells at most once in its interval, and never forgets the last', async () => {
  const notifier = new Notifier(60)
  const times: number[] = []
  notifier.listen(() => times.push(performance.now()))
  for (const end = performance.now() + 150; performance.now() < end; await wait(4)) notifier.notify()
  const sofar = times.length
  expect(sofar).toBeGreaterThanOrEqual(2)
  for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(55)
  notifier.notify()
  await wait(100)
  expect(times.length).toBeGreaterThan(sofar)
  notifier.close()
})

it.each([
  ['/a/b', '/a/b', true],
  ['/a/b', '/a/b/c', true],
  ['/a/b', '/a/bc', false],
  ['/a/b/c', '/a/b', false],
  ['/', '/a', true],
])('%s covers %s: %s', (outer, inner, expected) => {
  expect(covers(outer, inner)).toBe(expected)
})

describe('a folder known by another spelling', () => {
  /** A file system that is blind to case and to how Unicode spells a name, as macOS's is. */
  const spell = async (folder: string) => folder.normalize('NFD').toLowerCase()
  const folders = [{ path: '/Users/anna/Séjours' }, { path: '/Volumes/Card' }]

  it.each([
    ['/Users/anna/Séjours/2024', folders[0]],
    ['/users/ANNA/Se\u0301jours', folders[0]],
    ['/volumes/card/DCIM', folders[1]],
    ['/Users/anna', undefined],
    ['/Volumes/Card 2', undefined],
  ])('%s', async (wanted, covering) => {
    expect(await coveringFolder(folders, wanted, spell)).toBe(covering)
  })

  it('is told from others where paths are absent', async () => {
    expect(await coveringFolder(folders, '/elsewhere', async () => undefined)).toBeUndefined()
  })
})

describe('what a watcher tells of', () => {
  const knows = (file: string) => file === '/p/2024.old'
  const isIgnored = ignoring('/p', 'exports/\n*_small.jpg')

  it.each([
    ['update', '/p/a/one.jpg', true],
    ['create', '/p/a/One.JPG', true],
    ['create', '/p/a/new folder', true],
    ['delete', '/p/2024.old', true],
    ['create', '/p/a/notes.txt', false],
    ['delete', '/p/2023.old', false],
    ['create', '/p/.Trash-1000/one.jpg', false],
    ['create', '/p/$Recycle.Bin/one.jpg', false],
    ['create', '/p/exports/one.jpg', false],
    ['create', '/p/a/one_small.jpg', false],
    // The same folder, spelled otherwise.
    ['create', '/P/a/one.jpg', true],
    ['create', '/P/a/.one.jpg', false],
  ] as const)('%s %s: %s', (type, file, expected) => {
    expect(matters('/p', { type, path: file }, { knows, isIgnored })).toBe(expected)
  })
})

describe('patterns', () => {
  it('go by gitignore(5): comments, folders, depth, taking back', () => {
    const isIgnored = ignoring('/p', '# a word\n\nexports/\n/top.jpg\n**/cache/*\n*.tif\n!keep.tif')!
    const left = (file: string, kind: 'file' | 'folder' = 'file') => isIgnored(`/p/${file}`, kind)
    expect(['a/exports/x.jpg', 'Exports/x.jpg', 'top.jpg', 'a/b/cache/x.jpg', 'scan.TIF'].map((file) => left(file))).toEqual(
      Array(5).fill(true),
    )
    expect(['exports', 'a/top.jpg', 'cache.jpg', 'a/keep.tif', 'x..jpg'].map((file) => left(file))).toEqual(Array(5).fill(false))
    expect(left('exports', 'folder')).toBe(true)
    expect(isIgnored('/p', 'folder')).toBe(false)
  })

  it('that leave out nothing are none', () => {
    expect(ignoring('/p', '')).toBeUndefined()
    expect(ignoring('/p', '\n  \r\n# only words\n')).toBeUndefined()
  })

  it('of any text can be used', () => {
    for (const text of ['[', '[z-a]', '\\', '!', '**', '\u0000', '(((', 'a'.repeat(10_000)]) expect(() => checkPatterns(text)).not.toThrow()
  })
})
