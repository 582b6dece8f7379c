import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { createRandom } from '../../core/random.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { Album } from './support/album.ts'
import { compare, indexAll, openEngine, unsoundness } from './support/look.ts'
import { sleep, Victim } from './support/process.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'

it('files that grow or are replaced while they are read are indexed as they are in the end', async () => {
  const dir = await temporaryFolder()
  const library = path.join(dir, 'library')
  const album = await Album.create(path.join(dir, 'pictures'), 10)
  const arriving = await Album.create(path.join(dir, 'arriving'), times(3, 60), 2)
  const sources = await arriving.pictures()
  const tally = new Tally('pictures growing while they are read')
  const random = createRandom(1)
  const engine = await openEngine(library)
  await engine.api.library.addFolder({ path: album.folder })
  await indexAll(engine)
  for (let run = 0; run < times(1, 20); run++) {
    const writers = sources
      .splice(0, 3)
      .map((source, at) => new Victim('write', [source, path.join(album.folder, `arrived-${run}-${at}.jpg`), String(run * 3 + at)]))
    const [replaced, other] = await album.pictures()
    await Promise.all(writers.map((writer) => writer.says('ready')))
    const indexing = indexAll(engine)
    await sleep(random.integer(300))
    await copyFile(other!, path.join(album.folder, `copy-${run}.jpg`))
    await copyFile(path.join(album.folder, `copy-${run}.jpg`), replaced!)
    await Promise.all(writers.map((writer) => writer.ends()))
    await indexing
    // What the watcher asks for when the folder has been quiet.
    await indexAll(engine)
    const findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
    await compare(engine, album.folder, findings, { seed: run })
    tally.add(findings)
  }
  await engine.close()
  tally.add({ unsound: unsoundness(library) })
  expect(tally.finish()).toEqual(NOTHING)
})
