import type { Device, ModelInfo, Tier } from '../contract/index.ts'
import type { NoiseEstimate } from '../denoise/estimate.ts'
import type { Picture } from '../images/types.ts'
import type { ConfidenceCurve } from './calibration.ts'
import type { NoiseLevel } from './noiseMap.ts'
import type { Planes } from './samples.ts'
import type { Tile, TileUse } from './tiling.ts'

/** A rectangle of a picture, in pixels. */
export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

export interface TileRequest {
  tier: Tier
  source: Pick<Picture, 'buffer' | 'width' | 'height' | 'channels' | 'bitDepth'>
  /** Same size, channels and bit depth as the source; the tile's core is written here. Alpha is copied. */
  target: SharedArrayBuffer
  tile: Tile
  /** σ of the noise in 8-bit units, for the whole picture or by place. */
  sigma: NoiseLevel
}

/** A part of a picture whose denoising is to be doubted; begins at multiples of CONFIDENCE_CELL. */
export type SpreadRequest = Pick<TileRequest, 'source' | 'sigma'> & { core: Rect }

/** Where networks run. */
export interface Placement {
  device: Device
  /** Threads that a session on the CPU computes with. */
  threads: number
}

/** A square picture out of the decoder: RGB bytes, side × side × 3. Like the encoder's input it is squashed, whatever its picture's proportions. */
export interface Decoded {
  data: Uint8Array
  side: number
}

/**
 * The networks. Sessions live in one long-lived worker thread, because ONNX Runtime's `run()` blocks
 * the thread it is called on ("one inference worker"); each message is one tile or one batch, so that
 * pause and cancel act within it. Errors: MODEL_NOT_FOUND, MODEL_CHECKSUM, MODEL_INVALID, INFERENCE_FAILED.
 */
export interface Inference {
  models(): ModelInfo[]
  /** Identifies the encoder by its model hash; vectors are keyed by it. Null without an encoder. */
  encoderHash(): string | null
  /** How many numbers a descriptor of the encoder has; 0 without an encoder. */
  descriptorLength(): number
  /** Descriptors (L2-normalised) of ENCODER_PX² RGB inputs, in order. */
  encode(inputs: Uint8Array[]): Promise<Float32Array[]>
  /** What the decoder makes of descriptors, in order: all that the index knows of their pictures. */
  decode(descriptors: Float32Array[]): Promise<Decoded[]>
  /** The calibrated thresholds of the encoder's manifest entry: smallest score for each relation. */
  relations(): { copy: number; nearDuplicate: number; similar: number }
  /**
   * Loads what denoising with a tier needs, if that is not loaded yet: nobody waits for it while the picture is being
   * decoded. What fails is told by the call that needs it.
   */
  prepare(tier: Tier): void
  /** How a tier's model does a picture, or a part of it, tile by tile. */
  plan(tier: Tier, size: { width: number; height: number }, use: TileUse, part?: Rect): Tile[]
  denoiseTile(request: TileRequest): Promise<void>
  /**
   * The same for samples that are not clipped and rounded, as benchmarks have them: R, G, B planes one
   * after the other, 0..1 where noise does not leave that range. The answer is not clipped either.
   * @param use by default `file`
   */
  denoiseFloat(tier: Tier, planes: Planes, sigma: number, use?: TileUse): Promise<Planes>
  /**
   * How far the network disagrees with itself about a part of a picture and about that part's mirror image: for
   * each cell of CONFIDENCE_CELL pixels, row by row, in 8-bit levels (inference/spread.ts).
   */
  spread(tier: Tier, request: SpreadRequest): Promise<Float32Array>
  /** What spread means for this tier's model, or null where that was not measured. */
  confidenceCurve(tier: Tier): ConfidenceCurve | null
  /** How strong a picture's noise is, by place; estimated off the engine's loop from so many tiles at the most (denoise/estimate.ts). */
  estimateNoise(source: TileRequest['source'], tiles?: number): Promise<NoiseEstimate>
  /** Threads that a session on the CPU computes with. */
  readonly threads: number
  /** Devices that this build of ONNX Runtime knows on this system; whether one works shows when it is used. */
  devices(): Promise<Device[]>
  /** Where denoisers run from the next tile on. */
  configure(placement: Placement): void
  /** Where denoisers run, and why a device was given up for the CPU since it was configured. */
  placement(): Placement & { fellBack: string | null }
  close(): Promise<void>
}
