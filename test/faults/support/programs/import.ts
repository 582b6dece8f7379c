/** Imports an exported library with the whole engine. Says "ready" when it begins and "done" when all is there. Arguments: the library's folder, the exported file. */
import { createEngine } from '../../../../core/engine.ts'
import { nodeDeps, silentLog } from '../../../../core/hosts/node.ts'
import { MODELS_DIR, settled } from '../../../support/engine.ts'

const [libraryDir, file] = process.argv.slice(2) as [string, string]
const config = { libraryDir, modelsDir: MODELS_DIR, version: 'test', host: 'node' as const, watch: false, threads: 2 }
const engine = await createEngine(config, nodeDeps(silentLog))
console.log('ready')
const { jobId } = await engine.api.jobs.start({ kind: 'import-library', path: file })
await settled(engine, jobId)
console.log('done')
await engine.close()
