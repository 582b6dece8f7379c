import { ENCODER_PX } from '../../core/images/types.ts'
import type { Inference } from '../../core/inference/index.ts'
import { createRandom } from '../../core/random.ts'
import { LOAD_MAX, settledLoad } from './load.ts'
import type { Watched } from './pictureSet.ts'

export interface ThroughputReport {
  /** Pictures a second of the encoder alone, in the batches the library sends; null on a machine that has other work. */
  picturesPerSecond: number | null
  threads: number
  /** The machine's load average of the last minute before; null where there is none. */
  load: number | null
}

const PICTURES = 1536
const BATCH = 32

/** How many pictures the encoder alone describes in a second, its model loaded before. Waits `patience` seconds for other work to end. */
export async function benchThroughput(patience: number, inference: Inference, watched: Watched): Promise<ThroughputReport> {
  const load = await settledLoad(patience, watched)
  const report = { threads: inference.placement().threads, load }
  if (load !== null && load > LOAD_MAX) return { ...report, picturesPerSecond: null }
  const random = createRandom(1)
  const noise = Uint8Array.from({ length: ENCODER_PX * ENCODER_PX * 3 }, () => random.integer(256))
  const batch = Array.from({ length: BATCH }, () => noise)
  await inference.encode(batch)
  const started = performance.now()
  for (let done = 0; done < PICTURES; done += BATCH) await inference.encode(batch)
  return { ...report, picturesPerSecond: (PICTURES * 1000) / (performance.now() - started) }
}
