import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { openDatabase } from '../../core/db/index.ts'
import { createRandom, type Random } from '../../core/random.ts'
import { flipBit } from '../support/catalog.ts'
import { silent } from '../support/library.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { unsoundness } from './support/look.ts'
import { NOTHING, Tally, times } from './support/tally.ts'
import { addVectors, compareWithScan, openIndex, removeImages } from './support/vectors.ts'

let dir: string
let library: string
let foreign: string
beforeEach(async () => {
  dir = await temporaryFolder()
  library = await indexed('library', 1)
  foreign = await indexed('foreign', 2)
})

/** A library of vectors with a snapshot of their graph. */
async function indexed(name: string, seed: number): Promise<string> {
  const folder = path.join(dir, name)
  const database = openDatabase(folder, { readOnly: false, log: silent })
  const index = await openIndex(database)
  const random = createRandom(seed)
  addVectors(database.db, index, random, 500)
  await index.settled()
  removeImages(database.db, index, random, 40)
  await index.close()
  database.close()
  expect(snapshotOf(folder).length).toBeGreaterThan(1)
  return folder
}

const snapshotOf = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('vectors'))

const DAMAGES: Record<string, (random: Random) => void> = {
  truncated: (random) => truncateSync(anyFile(random), random.integer(statSync(anyFile(random)).size)),
  emptied: (random) => truncateSync(anyFile(random), 0),
  deleted: (random) => rmSync(anyFile(random)),
  'with a bit inverted': (random) => {
    const file = anyFile(random)
    flipBit(file, random.integer(statSync(file).size * 8))
  },
  'with random bytes in it': (random) => {
    const file = anyFile(random)
    const bytes = readFileSync(file)
    const from = random.integer(bytes.length)
    for (let at = from; at < Math.min(bytes.length, from + 300); at++) bytes[at] = random.integer(256)
    writeFileSync(file, bytes)
  },
  'of another library': () => {
    for (const name of snapshotOf(library)) rmSync(path.join(library, name))
    for (const name of snapshotOf(foreign)) copyFileSync(path.join(foreign, name), path.join(library, name))
  },
  'older than the library': () => {
    const database = openDatabase(library, { readOnly: false, log: silent })
    database.db.exec(`DELETE FROM image WHERE id % 3 = 0`)
    database.close()
  },
}

function anyFile(random: Random): string {
  const names = snapshotOf(library)
  return path.join(library, names[random.integer(names.length)]!)
}

/** Where all is tested at once, these stand for the others. */
const FEW = ['truncated', 'with a bit inverted', 'of another library']

it.each(times(1, 2) === 1 ? FEW : Object.keys(DAMAGES))('a snapshot of the vector graph %s answers as a scan does', async (damage) => {
  const whole = path.join(dir, 'whole')
  await cp(library, whole, { recursive: true })
  const tally = new Tally(`snapshot ${damage}`)
  const random = createRandom(3)
  for (let run = 0; run < times(1, 20); run++) {
    await rm(library, { recursive: true })
    await cp(whole, library, { recursive: true })
    DAMAGES[damage]!(random)
    const database = openDatabase(library, { readOnly: false, log: silent })
    const index = await openIndex(database)
    const atOnce = await compareWithScan(database, index, run)
    await index.settled()
    const settled = await compareWithScan(database, index, run)
    await index.close()
    database.close()
    tally.add({ ...atOnce, wrong: [...atOnce.wrong, ...settled.wrong], unsound: unsoundness(library) })
  }
  expect(tally.finish()).toEqual(NOTHING)
})
