import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listBackups } from '../../core/db/backup.ts'
import { openDatabase, Upkeep } from '../../core/db/index.ts'
import { versionOf } from '../../core/db/migrate.ts'
import { migrations } from '../../core/db/migrations/index.ts'
import { createRandom } from '../../core/random.ts'
import { fillCatalog, pagesOf, rowsOf, scribble } from '../support/catalog.ts'
import { silent } from '../support/library.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { Album } from './support/album.ts'
import { compare, indexAll, openEngine, unsoundness } from './support/look.ts'
import { tomorrow } from './support/rebuilding.ts'
import { SmallDisk } from './support/smallDisk.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'
import { addVectors, compareWithScan, openIndex } from './support/vectors.ts'

const KIB = 1024
const nothing = (): Findings => ({ lost: [], doubled: [], wrong: [], unsound: [] })

const disks: SmallDisk[] = []
afterAll(() => disks.forEach((disk) => disk.unmount()))
const canMount = await trial()

async function trial(): Promise<boolean> {
  const disk = SmallDisk.mount(path.join(await temporaryFolder(), 'trial'), 1)
  disk?.unmount()
  if (!disk) console.warn('Not run: a full disk. Mounting a small one takes the rights of root.')
  return disk !== undefined
}

describe.skipIf(!canMount)('a full disk', () => {
  let disk: SmallDisk
  let library: string
  beforeEach(async () => {
    disk = SmallDisk.mount(path.join(await temporaryFolder(), 'disk'), 16)!
    disks.push(disk)
    library = path.join(disk.folder, 'library')
  })

  it('while indexing: the job says so, and goes on when there is room', async () => {
    const album = await Album.create(path.join(await temporaryFolder(), 'pictures'), 30)
    const tally = new Tally('disk full while indexing')
    const random = createRandom(1)
    let isFilled = 0
    for (let run = 0; run < times(2, 20); run++) {
      const findings = nothing()
      const engine = await openEngine(library)
      await engine.api.library.addFolder({ path: album.folder })
      await indexAll(engine)
      await album.change(12)
      disk.fill(random.integer(200) * KIB)
      try {
        await indexAll(engine)
      } catch (thrown) {
        isFilled++
        expect(thrown).toMatchObject({ code: 'DISK_FULL' })
      }
      // What was there before is shown and found all the while.
      const { total } = await engine.api.library.items({})
      expect(total).toBeGreaterThan(0)
      disk.free()
      await indexAll(engine)
      await compare(engine, album.folder, findings, { seed: run })
      await engine.close()
      findings.unsound.push(...unsoundness(library))
      tally.add(findings)
    }
    expect(isFilled).toBeGreaterThan(0)
    expect(tally.finish()).toEqual(NOTHING)
  })

  it('on opening and in every call: the code says so', async () => {
    const album = await Album.create(path.join(await temporaryFolder(), 'pictures'), 2)
    const engine = await openEngine(library)
    await engine.api.library.addFolder({ path: album.folder })
    await indexAll(engine)
    disk.fill(0)
    await expect(fillUntilRefused(() => engine.api.library.addFolder({ path: path.dirname(album.folder) }))).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    await engine.close()
    disk.fill(0)
    await expect(openEngine(library)).rejects.toMatchObject({ code: 'DISK_FULL' })
    disk.free()
    await (await openEngine(library)).close()
    expect(unsoundness(library)).toEqual([])
  })

  it('while the vector graph is written: searches go on, and it is written when there is room', async () => {
    const tally = new Tally('disk full while writing the vector graph')
    const random = createRandom(2)
    const database = openDatabase(library, { readOnly: false, log: silent })
    let isFilled = 0
    for (let run = 0; run < times(2, 20); run++) {
      const index = await openIndex(database)
      addVectors(database.db, index, random, 300)
      await index.settled()
      disk.fill(random.integer(60) * KIB)
      const before = snapshotFiles(library)
      await index.close()
      if (snapshotFiles(library).join() === before.join()) isFilled++
      disk.free()
      const again = await openIndex(database)
      await again.settled()
      const findings = await compareWithScan(database, again, run)
      await again.close()
      tally.add(findings)
    }
    database.close()
    expect(isFilled).toBeGreaterThan(0)
    expect(unsoundness(library)).toEqual([])
    expect(tally.finish()).toEqual(NOTHING)
  })

  it('while a backup is made: none is left half, and it is made when there is room', async () => {
    const tally = new Tally('disk full while backing up')
    const random = createRandom(3)
    const database = openDatabase(library, { readOnly: false, log: silent })
    fillCatalog(database.db, 300)
    let now = Date.now()
    for (let run = 0; run < times(2, 20); run++) {
      const findings = nothing()
      const newest = listBackups(library)[0]?.number ?? 0
      const upkeep = new Upkeep(database, { log: silent, now: () => now })
      disk.fill(random.integer(30) * KIB)
      await upkeep.run()
      expect(listBackups(library)[0]?.number ?? 0).toBe(newest)
      expect(readdirSync(path.join(library, 'backups')).filter((name) => name.endsWith('.tmp'))).toEqual([])
      disk.free()
      await upkeep.run()
      if (listBackups(library)[0]?.number !== newest + 1) findings.lost.push('the backup')
      await upkeep.close()
      now += 48 * 3600_000
      tally.add(findings)
    }
    database.close()
    expect(unsoundness(library)).toEqual([])
    expect(tally.finish()).toEqual(NOTHING)
  })

  it('while migrating or repairing: the library stays as it was', async () => {
    const tally = new Tally('disk full while migrating and repairing')
    const random = createRandom(4)
    const first = openDatabase(library, { readOnly: false, log: silent })
    fillCatalog(first.db, 300)
    const folders = rowsOf(first.db, 'folder')
    first.close()
    const file = path.join(library, 'lucidex.db')
    for (let run = 0; run < times(2, 20); run++) {
      const findings = nothing()
      disk.fill((100 + random.integer(1000)) * KIB)
      expect(() => openDatabase(library, { readOnly: false, log: silent, migrations: tomorrow })).toThrow(
        expect.objectContaining({ code: 'DISK_FULL' }),
      )
      disk.free()
      findings.unsound.push(...unsoundness(library).filter((line) => !/-wal|-shm/.test(line)))
      const database = openDatabase(library, { readOnly: false, log: silent })
      expect(versionOf(database.db)).toBe(migrations.length)
      database.close()
      tally.add(findings)
    }
    openDatabase(library, { readOnly: false, log: silent, migrations: tomorrow }).close()

    scribble(file, pagesOf(file, 'file').slice(-1), random)
    const damaged = readFileSync(file)
    disk.fill(500 * KIB)
    const open = () => openDatabase(library, { readOnly: false, log: silent, migrations: tomorrow })
    expect(open).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(readFileSync(file).equals(damaged)).toBe(true)
    disk.free()
    const repaired = open()
    expect(repaired.repair).toBeDefined()
    expect(rowsOf(repaired.db, 'folder').length).toBe(folders.length)
    repaired.close()
    tally.add({ unsound: unsoundness(library) })
    expect(tally.finish()).toEqual(NOTHING)
  })
})

/** The log has room in its file yet: until that is used up, small changes succeed. */
async function fillUntilRefused(call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 1000; i++) await call()
}

function snapshotFiles(library: string): string[] {
  return readdirSync(library)
    .filter((name) => name.startsWith('vectors'))
    .sort()
}
