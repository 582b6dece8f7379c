/**
 * Opens a library with the whole engine and says what came of it: the error's code, or "opened" with how many pictures
 * it shows; then, with pictures to look for, what is found first. Ends when its library is closed by "close".
 * Arguments: the library's folder, "read" or "write", a picture to search for.
 */
import { createEngine } from '../../../../core/engine.ts'
import { nodeDeps, silentLog } from '../../../../core/hosts/node.ts'
import { MODELS_DIR } from '../../../support/engine.ts'

const [libraryDir, how, wanted] = process.argv.slice(2) as [string, string, string?]
const config = {
  libraryDir,
  modelsDir: MODELS_DIR,
  version: 'test',
  host: 'node' as const,
  watch: false,
  readOnly: how === 'read',
  threads: 1,
}
try {
  const engine = await createEngine(config, nodeDeps(silentLog))
  const { total } = await engine.api.library.items({})
  console.log(`opened ${total}`)
  if (wanted !== undefined) {
    const { results } = await engine.api.search.find({ source: { kind: 'path', path: wanted }, k: 1 })
    console.log(`found ${results[0]?.item.name} ${results[0]?.relation}`)
  }
  await engine.close()
} catch (error) {
  console.log((error as { code: string }).code)
}
console.log('end')
