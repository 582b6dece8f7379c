/**
 * Adds and removes vectors, writes snapshots of the graph and reads them again, so that it is also compacted. Says
 * "ready" and "done". Arguments: the library's folder, a seed.
 */
import { openDatabase } from '../../../../core/db/index.ts'
import { silentLog } from '../../../../core/hosts/node.ts'
import { createRandom } from '../../../../core/random.ts'
import { addVectors, openIndex, removeImages } from '../vectors.ts'

const [libraryDir, seed] = process.argv.slice(2) as [string, string]
const random = createRandom(Number(seed))
const database = openDatabase(libraryDir, { readOnly: false, log: silentLog })
console.log('ready')
for (let round = 0; round < 4; round++) {
  const index = await openIndex(database)
  addVectors(database.db, index, random, 300)
  await index.settled()
  removeImages(database.db, index, random, Math.max(0, index.count - 400))
  await index.settled()
  await index.close()
}
console.log('done')
database.close()
