/** Opens a library for writing as soon as told so by the clock, and holds it. Says "mine" or the error's code. Arguments: the library's folder, when (ms since 1970). */
import { openDatabase } from '../../../../core/db/index.ts'
import { silentLog } from '../../../../core/hosts/node.ts'

const [libraryDir, at] = process.argv.slice(2) as [string, string]
await new Promise((resolve) => setTimeout(resolve, Number(at) - Date.now()))
let word = 'mine'
try {
  openDatabase(libraryDir, { readOnly: false, log: silentLog })
} catch (error) {
  word = (error as { code: string }).code
}
console.log(word)
setInterval(() => {}, 1000)
