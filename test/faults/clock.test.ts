import { utimes } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/pictures.ts'
import { Album } from './support/album.ts'
import { compare, indexAll, openEngine, unsoundness } from './support/look.ts'
import { NOTHING, Tally, times, type Findings } from './support/tally.ts'

const DAY = 24 * 3600_000

it('a clock that goes back, and pictures from the future, change nothing', async () => {
  const dir = await temporaryFolder()
  const library = path.join(dir, 'library')
  const album = await Album.create(path.join(dir, 'pictures'), 16)
  const tally = new Tally('clock going back, pictures of the future')
  let now = Date.parse('2026-06-01T12:00:00Z')
  for (let run = 0; run < times(1, 20); run++) {
    const findings: Findings = { lost: [], doubled: [], wrong: [], unsound: [] }
    const engine = await openEngine(library, { now: () => (now -= 1000) })
    await engine.api.library.addFolder({ path: album.folder })
    await indexAll(engine)
    now -= (run + 1) * 200 * DAY
    await album.change(4)
    const [first, second] = await album.pictures()
    await utimes(first!, new Date('2199-01-01'), new Date('2199-01-01'))
    await utimes(second!, new Date(0), new Date(0))
    const report = await indexAll(engine)
    expect(report.failed).toEqual([])
    // Nothing is read again for its date alone.
    const again = await indexAll(engine)
    expect(again).toMatchObject({ indexed: 0, moved: 0, removed: 0, unchanged: again.scanned })
    const jobs = await engine.api.jobs.list()
    expect(jobs.every(({ state }) => state === 'done')).toBe(true)
    await compare(engine, album.folder, findings, { seed: run })
    await engine.close()
    tally.add({ ...findings, unsound: unsoundness(library) })
  }
  expect(tally.finish()).toEqual(NOTHING)
})
