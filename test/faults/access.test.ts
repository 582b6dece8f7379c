import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../core/random.ts'
import { Album } from './support/album.ts'
import { finishAndLook, indexAll, openEngine } from './support/look.ts'
import { sleep, Victim } from './support/process.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'

/** `nobody`, who is refused where root would not be. */
const NOBODY = 65534
const isRoot = process.getuid?.() === 0
const isPosix = process.platform !== 'win32'
const user = isRoot ? { uid: NOBODY } : {}
if (!isPosix) console.warn('Not run: permissions. They are set another way here.')

let dir: string
let library: string
let album: Album
beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'lucidex-test-')))
  chmodSync(dir, 0o777)
  library = path.join(dir, 'library')
  album = await Album.create(path.join(dir, 'pictures'), 12)
  await finishAndLook(library, album.folder)
  return () => rm(dir, { recursive: true })
})
afterEach(() => chmodSync(library, 0o755))

/** Gives the folder, and all in it, to the user as whom programs run. */
function handOver(folder: string): void {
  if (!isRoot) return
  chownSync(folder, NOBODY, NOBODY)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name)
    if (entry.isDirectory()) handOver(full)
    else chownSync(full, NOBODY, NOBODY)
  }
}

async function says(...args: Parameters<typeof ask>): Promise<string[]> {
  const program = ask(...args)
  await program.ends()
  return program.said.trim().split('\n').slice(0, -1)
}
const ask = (...args: string[]) => new Victim('open', args, user)

describe.skipIf(!isPosix)('permissions', () => {
  it('a library that may only be read is refused for writing, and opened for reading', async () => {
    handOver(library)
    chmodSync(library, 0o555)
    for (const name of readdirSync(library)) chmodSync(path.join(library, name), name === 'backups' ? 0o555 : 0o444)
    const [picture] = await album.pictures()
    expect(await says(library, 'write')).toEqual(['FILE_NOT_WRITABLE'])
    expect(await says(library, 'read', picture!)).toEqual(['opened 12', `found ${path.basename(picture!)} same-file`])
    for (const name of readdirSync(library)) chmodSync(path.join(library, name), name === 'backups' ? 0o755 : 0o644)
  })

  it('so is one whose writer was killed', async () => {
    await album.change(2)
    const victim = new Victim('index', [library, album.folder])
    await victim.says('done')
    await victim.kill()
    handOver(library)
    chmodSync(library, 0o555)
    expect((await says(library, 'read'))[0]).toMatch(/^opened \d+$/)
  })

  it('a library that may not even be looked into is told from one that is not there', async () => {
    handOver(library)
    chmodSync(library, 0o000)
    const [code] = await says(library, 'read')
    expect(code).toBe('FILE_NOT_READABLE')
    expect(await says(path.join(dir, 'nowhere'), 'read')).toEqual(['FILE_NOT_FOUND'])
  })

  it('pictures whose permission is lost midway are lost for no longer than that', async () => {
    expect(await losePermissionMidway('permission of the pictures lost midway', album.folder, { mode: 0o000, seed: 1 })).toEqual(NOTHING)
  })

  it('a library folder whose permission is lost midway loses nothing', async () => {
    expect(await losePermissionMidway('permission of the library lost midway', library, { mode: 0o555, seed: 2 })).toEqual(NOTHING)
  })

  /** Indexes changed pictures, again and again, and takes the permission of `folder` at a random moment of it. */
  async function losePermissionMidway(fault: string, folder: string, { mode, seed }: { mode: number; seed: number }): Promise<Findings> {
    const tally = new Tally(fault)
    const random = createRandom(seed)
    for (let run = 0; run < times(1, 20); run++) {
      await album.change(4)
      handOver(library)
      const indexing = new Victim('index', [library, album.folder], user)
      await indexing.says('ready')
      await sleep(random.integer(1500))
      chmodSync(folder, mode)
      await indexing.ends()
      chmodSync(folder, 0o755)
      tally.add(await finishAndLook(library, album.folder, { seed: run }))
    }
    return tally.finish()
  }
})

describe('two at one library', () => {
  it('a second writer is refused, a reader joins and sees what the writer adds', async () => {
    const engine = await openEngine(library)
    const second = new Victim('open', [library, 'write'])
    await second.ends()
    expect(second.said).toBe('LIBRARY_IN_USE\nend\n')
    const added = await album.add()
    await indexAll(engine)
    const reader = new Victim('open', [library, 'read', added])
    await reader.ends()
    expect(reader.said).toContain(`found ${path.basename(added)} same-file\nend\n`)
    await engine.close()
  })

  it('of many that begin at one moment one gets it, also when the one before was killed', async () => {
    const tally = new Tally('writers at one moment, the last one killed')
    for (let run = 0; run < times(2, 50); run++) {
      const at = Date.now() + 800
      const writers = Array.from({ length: 4 }, () => new Victim('hold', [library, String(at)]))
      const words = await Promise.all(
        writers.map((writer) => Promise.race([writer.says('mine'), writer.says('LIBRARY_IN_USE')]).then(() => writer.said)),
      )
      const winners = words.filter((word) => word === 'mine\n').length
      tally.add({ wrong: winners === 1 ? [] : [`${winners} writers: ${words.join()}`] })
      await Promise.all(writers.map((writer) => writer.kill()))
    }
    expect(tally.finish()).toEqual(NOTHING)
  })
})
