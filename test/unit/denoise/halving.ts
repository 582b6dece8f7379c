import { LucidexError } from '../../../core/contract/index.ts'
import type { NoiseEstimate } from '../../../core/denoise/index.ts'
import { MemoryJournal } from '../../../core/denoise/journal.ts'
import { planTiles, type ConfidenceCurve, type Inference, type SpreadRequest, type TileRequest } from '../../../core/inference/index.ts'
import type { JobContext } from '../../../core/jobs/types.ts'

/** Stands in for the networks: "denoising" halves every sample, so that what was done to a picture can be told exactly. */
export class HalvingInference implements Inference {
  readonly threads = 1
  /** What every cell of a confidence map is told to spread. */
  spreading = 2
  curve: ConfidenceCurve | null = null
  tiles: TileRequest[] = []
  /** Tiers that were asked to be loaded. */
  prepared: string[] = []
  prepare: Inference['prepare'] = (tier) => void this.prepared.push(tier)
  plan: Inference['plan'] = (_, size, use, part) => planTiles(size, { stride: 8, margin: 48 }, use, part)
  estimated = 10
  /** Sizes of the pictures whose noise was estimated. */
  estimates: string[] = []
  /** Fails the tiles of pictures of this width. */
  failingWidth = -1

  async denoiseTile(request: TileRequest): Promise<void> {
    this.tiles.push(request)
    const { source, target } = request
    const { core } = request.tile
    if (source.width === this.failingWidth) throw new LucidexError('INFERENCE_FAILED', 'made to fail')
    const [from, to] = [source.buffer, target].map((buffer) => (source.bitDepth === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer)))
    for (let y = core.y; y < core.y + core.height; y++) {
      for (let x = core.x; x < core.x + core.width; x++) {
        for (let c = 0; c < source.channels; c++) {
          const at = (y * source.width + x) * source.channels + c
          to![at] = from![at]! >> 1
        }
      }
    }
  }
  async estimateNoise({ width, height }: TileRequest['source']): Promise<NoiseEstimate> {
    this.estimates.push(`${width} × ${height}`)
    const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)]
    const sigma = new Float32Array(new SharedArrayBuffer(4 * columns * rows)).fill(this.estimated)
    return { sigma: this.estimated, map: { sigma, columns, rows, cell: 16 } }
  }
  async spread(_: string, { core }: SpreadRequest): Promise<Float32Array> {
    return new Float32Array(Math.ceil(core.width / 8) * Math.ceil(core.height / 8)).fill(this.spreading)
  }
  confidenceCurve = () => this.curve
  devices: Inference['devices'] = async () => ['cpu']
  configure: Inference['configure'] = () => {}
  placement: Inference['placement'] = () => ({ device: 'cpu', threads: 1, fellBack: null })
  models = () => []
  encoderHash = () => null
  relations = () => ({ copy: 1, nearDuplicate: 1, similar: 1 })
  encode = async () => []
  descriptorLength = () => 128
  decode = async () => []
  denoiseFloat: Inference['denoiseFloat'] = async (_, planes) => planes
  close = async () => {}
}

export interface TestContext extends JobContext {
  changes: Parameters<JobContext['progress']>[0][]
  cancel(): void
}

/** A job's context that remembers its progress; `onCheckpoint` is told how many checkpoints were passed. */
export function jobContext(onCheckpoint?: (count: number, context: TestContext) => void): TestContext {
  const abort = new AbortController()
  let count = 0
  const context: TestContext = {
    jobId: 1,
    signal: abort.signal,
    journal: new MemoryJournal(),
    changes: [],
    cancel: () => abort.abort(),
    async checkpoint() {
      onCheckpoint?.(++count, context)
      abort.signal.throwIfAborted()
    },
    progress: (change) => void context.changes.push(change),
  }
  return context
}
