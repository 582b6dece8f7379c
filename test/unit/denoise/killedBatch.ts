/**
 * A process that does a batch until it is killed: on a library of its own, with the slowed-down stand-in for the
 * networks. Goes on with the job that it finds interrupted. Says "tile" at each picture and its report at the end.
 * Arguments: the library's folder, the sources', the results'.
 */
import { openDatabase } from '../../../core/db/index.ts'
import { decodeHere } from '../../../core/decoder/index.ts'
import { exportPictures } from '../../../core/denoise/index.ts'
import { JobQueue } from '../../../core/jobs/queue.ts'
import { JobStore } from '../../../core/jobs/store.ts'
import { jobSpec } from '../../../core/contract/index.ts'
import { HalvingInference } from './halving.ts'
import { unusedRunners } from '../../support/runners.ts'

const [library, sources, target] = process.argv.slice(2) as [string, string, string]
const log = { info() {}, warn() {}, error() {} }
const database = openDatabase(library, { readOnly: false, log })
const inference = new HalvingInference()
const halve = inference.denoiseTile.bind(inference)
inference.denoiseTile = async (request) => {
  console.log('tile')
  await new Promise((resolve) => setTimeout(resolve, 5))
  return halve(request)
}
const queue = new JobQueue({
  store: new JobStore(database.db),
  title: () => 'batch',
  announce: (job) => {
    if (job.state === 'done') {
      console.log(JSON.stringify(queue.report(job.id).denoise))
      // The last announcement comes before the queue lets go of the job.
      setTimeout(() => (database.close(), process.exit(0)), 20)
    }
  },
  announceDismissed: () => {},
  runners: {
    ...unusedRunners,
    denoise: async (spec, context) => {
      const reserveDownload = () => Promise.reject(new Error('no downloads here'))
      const inputs = spec.sources.map((source) => ({ path: (source as { path: string }).path, name: 'in' }))
      await exportPictures({ inputs, spec }, { inference, decoder: decodeHere, journal: context.journal, reserveDownload }, context)
      return {}
    },
  },
})
const interrupted = queue.list().find(({ state }) => state === 'interrupted')
if (interrupted) queue.resume(interrupted.id)
else
  queue.start(
    jobSpec.parse({
      kind: 'denoise',
      sources: [{ kind: 'path', path: sources }],
      settings: { tier: 'best', sigma: 20, strength: 100 },
      output: {},
      destination: { kind: 'folder', path: target },
    }),
  )
