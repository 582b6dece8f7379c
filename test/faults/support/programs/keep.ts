/** Opens a library, which repairs a damaged one, and does all the upkeep that is due. Says "ready" and "done". Argument: the library's folder. */
import { openDatabase, Upkeep } from '../../../../core/db/index.ts'
import { silentLog } from '../../../../core/hosts/node.ts'

console.log('ready')
const database = openDatabase(process.argv[2]!, { readOnly: false, log: silentLog })
const upkeep = new Upkeep(database, { log: silentLog, now: Date.now })
await upkeep.run()
console.log('done')
await upkeep.close()
database.close()
