/** Indexes with the whole engine. Says "ready" when it begins and "done" at the end, or the code of what it met. Arguments: the library's folder, the pictures'. */
import { createEngine } from '../../../../core/engine.ts'
import { nodeDeps, silentLog } from '../../../../core/hosts/node.ts'
import { MODELS_DIR, settled } from '../../../support/engine.ts'

const [libraryDir, folder] = process.argv.slice(2) as [string, string]
const config = { libraryDir, modelsDir: MODELS_DIR, version: 'test', host: 'node' as const, watch: false, threads: 2 }
const engine = await createEngine(config, nodeDeps(silentLog))
console.log('ready')
try {
  const { jobId } = await engine.api.library.addFolder({ path: folder })
  await settled(engine, jobId!)
  console.log('done')
} catch (error) {
  // As when a permission is lost before it has begun.
  console.log((error as { code: string }).code)
}
await engine.close()
