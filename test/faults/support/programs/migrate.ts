/** Brings a library up to tomorrow's version. Says "ready" and "done". Argument: the library's folder. */
import { openDatabase } from '../../../../core/db/index.ts'
import { silentLog } from '../../../../core/hosts/node.ts'
import { tomorrow } from '../rebuilding.ts'

console.log('ready')
const database = openDatabase(process.argv[2]!, { readOnly: false, log: silentLog, migrations: tomorrow })
console.log('done')
database.close()
