import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { ModelRegistry } from '../../core/inference/index.ts'
import { EXIT, numberOption, parse, UsageError } from '../args.ts'
import { LOAD_MAX, settledLoad } from '../bench/load.ts'
import { openVerified } from '../bench/network.ts'
import { runMeasured } from '../bench/peakMemory.ts'
import { benchWorkflow, drawNoisy, type ViewTimes } from '../bench/workflow.ts'
import { interruptible, type Io } from '../io.ts'
import { MODELS_DIR, ROOT } from '../paths.ts'
import { withEngine } from '../session.ts'
import { byteSize, table } from '../table.ts'

/** Memory is measured with a picture of 100 megapixels. */
const HUGE = { width: 11_584, height: 8640 }

export const WORKFLOW_HELP = `bench workflow times what a person waits for: the first look at a 24-megapixel JPEG, its export and a queue of fifty
pictures; and measures the memory that a picture of 100 megapixels takes.

  --wait <seconds>      wait so long for the load to fall to ${LOAD_MAX} (default 150); above it speeds are refused`

export async function runWorkflow(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { wait: { type: 'string' } })
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is not an option`)
  const waitSeconds = numberOption('--wait', values.wait, { min: 0, max: 3600 }) ?? 150
  return interruptible(io, async (signal) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lucidex-workflow-'))
    const threads = availableParallelism()
    const untiled = await openVerified(await ModelRegistry.open(MODELS_DIR), 'best', threads)
    try {
      const load = await settledLoad(waitSeconds, { signal, onProgress: io.progress })
      const quiet = load === null || load <= LOAD_MAX
      const times = quiet ? await withEngine({ io }, (engine) => benchWorkflow(engine, { folder, untiled, io, signal })) : null
      io.progress('A picture of 100 megapixels')
      const huge = path.join(folder, 'huge.jpg')
      await drawNoisy(huge, HUGE, 1)
      const script = path.join(ROOT, 'cli', 'lucidex.mjs')
      const { peakBytes } = await runMeasured(script, ['denoise', huge, '-o', path.join(folder, 'huge-out.jpg'), '--model', 'fast'], signal)
      io.progress('')
      const report = { threads, load, ...times, hugePeakBytes: peakBytes }
      if (values.json) io.print(JSON.stringify(report, null, 2))
      else {
        if (!times) io.print(`No speeds: the load average is ${load!.toFixed(2)}, above ${LOAD_MAX}.`)
        else {
          const { fitted, actualSize, file, queue } = times
          const row = (name: string, { decode, estimate, first, whole }: ViewTimes) => [
            name,
            ...[decode, estimate, first, whole].map(milliseconds),
          ]
          io.print(
            table([
              ['24 megapixels, fast', 'decode', 'then: noise known', 'first 512²', 'whole view'],
              row('fitted', fitted),
              row('1:1', actualSize),
            ]),
          )
          io.print(
            `24-megapixel JPEG to JPEG, best: ${file.seconds.toFixed(1)} s, ${file.ratio.toFixed(2)} × ${file.bound.toFixed(1)} s untiled`,
          )
          io.print(
            `${queue.pictures} pictures, best: ${queue.seconds.toFixed(1)} s (${(queue.seconds / queue.bound).toFixed(2)} × ${queue.bound.toFixed(1)} s untiled); their steps one by one take ${queue.overlap.toFixed(2)} × as long`,
          )
        }
        io.print(`100-megapixel JPEG to JPEG, fast: ${peakBytes === null ? 'memory unknown' : `${byteSize(peakBytes)} at the most`}`)
        io.print(`${threads} threads, load ${load === null ? 'unknown' : load.toFixed(2)}`)
      }
      return quiet ? EXIT.ok : EXIT.someFailed
    } finally {
      await untiled.release()
      await rm(folder, { recursive: true, force: true })
    }
  })
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`
}
