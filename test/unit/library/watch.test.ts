import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { openTestLibrary, silent, type OpenedLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

let root: string
let pictures: string
let opened: OpenedLibrary
let stale: number[]
let warnings: string[]

beforeEach(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  await writePhotos(path.join(pictures, 'holiday.2024'), 2, { width: 64, height: 48 })
  stale = []
  warnings = []
  // The library lies in the folder it follows: its own writing must not set it off.
  opened = await openTestLibrary(path.join(pictures, 'library'), {
    watch: true,
    log: { ...silent, warn: (message) => void warnings.push(message) },
  })
  opened.library.onStale((folderId) => stale.push(folderId))
  return () => opened.close()
})

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 8000; !condition() && performance.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 25))
  expect(condition()).toBe(true)
}

const quiet = () => new Promise((resolve) => setTimeout(resolve, 2500))

it('tells of new, changed and moved pictures, and of nothing else', async () => {
  const { folder } = await opened.library.addFolder(pictures)
  await until(() => opened.library.folders()[0]!.watching)
  await opened.index()
  await writeFile(path.join(pictures, 'notes.txt'), 'no picture')
  await mkdir(path.join(pictures, '.cache'))
  await writeFile(path.join(pictures, '.cache', 'hidden.jpg'), 'hidden')
  await quiet()
  expect(stale).toEqual([])

  await writePhotos(pictures, 3, { width: 64, height: 48, seed: 2 })
  await until(() => stale.length > 0)
  expect(stale).toEqual([folder.id])
  await opened.index()

  stale.length = 0
  await rename(path.join(pictures, 'holiday.2024'), path.join(root, 'elsewhere'))
  await until(() => stale.length > 0)
  expect(await opened.index()).toMatchObject({ removed: 2 })
})

it('follows a folder again that was taken out and put back', async () => {
  const other = path.join(root, 'other')
  await writePhotos(other, 1, { width: 64, height: 48, seed: 4 })
  const { folder } = await opened.library.addFolder(other)
  await until(() => opened.library.folders()[0]!.watching)
  opened.library.removeFolder(folder.id)
  opened.library.restoreFolder(folder.id)
  await until(() => opened.library.folders()[0]!.watching)
  await rm(path.join(other, 'photo-00.jpg'))
  await until(() => stale.length > 0)
  expect(warnings).toEqual([])
})
