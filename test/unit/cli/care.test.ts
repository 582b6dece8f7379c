import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../../cli/main.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

let root: string
let pictures: string
let exported: string

/** Runs a command line in this process. */
async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io = {
    print: (text: string) => void out.push(text),
    note: (text: string) => void err.push(text),
    progress: () => {},
    env: { LUCIDEX_LIBRARY: path.join(root, 'library') },
    onInterrupt: () => () => {},
  }
  const status = await main(args, io)
  return { status, out: out.join('\n'), err: err.join('\n'), json: () => JSON.parse(out.join('\n')) }
}

beforeAll(async () => {
  root = await temporaryFolder()
  pictures = path.join(root, 'pictures')
  exported = path.join(root, 'mine.lucidex')
  await writePhotos(pictures, 3, { width: 64, height: 48, seed: 1 })
  await run('index', pictures)
})

describe('a library', () => {
  it('is exported, not over a file that is there, and imported where its folder lies elsewhere', async () => {
    const { status, json } = await run('export', exported, '--json')
    expect(status).toBe(0)
    expect(json()).toMatchObject({ path: exported, folders: 1, files: 3, images: 3 })
    const again = await run('export', exported, '--json')
    expect([again.status, again.json().error.code]).toEqual([1, 'FILE_EXISTS'])

    const moved = path.join(root, 'moved')
    await rename(pictures, moved)
    const other = ['--library', path.join(root, 'other')]
    const imported = await run('import', exported, '--map', `${pictures}=${moved}`, '--json', ...other)
    expect(imported.status).toBe(0)
    expect(imported.json()).toMatchObject({ folders: [{ from: pictures, path: moved, offline: false }], files: 3, images: 3, vectors: 3 })
    expect((await run('status', '--json', ...other)).json()).toMatchObject({ files: 3, images: 3, vectors: 3, missing: 0, pending: 0 })
    await rename(moved, pictures)
  })

  it('is verified: what can be repaired is, what cannot ends with status 1', async () => {
    await rm(path.join(pictures, 'photo-00.jpg'))
    const sound = await run('verify', '--thorough', '--json')
    expect(sound.status).toBe(0)
    expect(sound.json()).toEqual({
      checked: { files: 3, hashed: 2, images: 3, vectors: 3 },
      repaired: [{ what: 'file-missing', count: 1 }],
      ...{ problems: [], problemCount: 0, recall: null },
    })
    await rename(pictures, `${pictures}-unplugged`)
    const offline = await run('verify')
    expect(offline.status).toBe(1)
    expect(offline.err).toContain(`folder-offline  ${pictures}`)
    expect(offline.out).toMatch(/problems +1/)
    await rename(`${pictures}-unplugged`, pictures)
  })

  it('is compacted', async () => {
    const { status, json } = await run('compact', '--json')
    expect(status).toBe(0)
    expect(json().after).toBeLessThanOrEqual(json().before)
  })
})

it('bad usage is named', async () => {
  await writeFile(path.join(root, 'letter.lucidex'), 'Dear Sir or Madam')
  expect(await run('export')).toMatchObject({ status: 2 })
  expect(await run('import', exported, '--map', 'nowhere')).toMatchObject({ status: 2, err: expect.stringContaining('from=to') })
  const letter = await run('import', path.join(root, 'letter.lucidex'), '--json')
  expect([letter.status, letter.json().error.code]).toEqual([1, 'FORMAT_UNKNOWN'])
  expect((await run('verify', '--help')).out).toContain('--thorough')
})
