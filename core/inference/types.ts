import type { ModelInfo, Tier } from '../contract/index.ts'
import type { NoiseEstimate } from '../denoise/estimate.ts'
import type { Picture } from '../images/types.ts'
import type { NoiseLevel } from './noiseMap.ts'
import type { Planes } from './samples.ts'

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
  /** What of the picture this tile writes, one of {@link tileCores}; the network sees more around it. */
  core: Rect
  /** σ of the noise in 8-bit units, for the whole picture or by place. */
  sigma: NoiseLevel
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
  /** Descriptors (L2-normalised, 128-d) of ENCODER_PX² RGB inputs, in order. */
  encode(inputs: Uint8Array[]): Promise<Float32Array[]>
  /** The calibrated thresholds of the encoder's manifest entry: smallest cosine for each relation. */
  relations(): { copy: number; nearDuplicate: number; similar: number }
  denoiseTile(request: TileRequest): Promise<void>
  /**
   * The same for samples that are not clipped and rounded, as benchmarks have them: R, G, B planes one
   * after the other, 0..1 where noise does not leave that range. The answer is not clipped either.
   */
  denoiseFloat(tier: Tier, planes: Planes, sigma: number): Promise<Planes>
  /** How strong a picture's noise is, by place; estimated off the engine's loop. */
  estimateNoise(source: TileRequest['source']): Promise<NoiseEstimate>
  /** Threads used by a session. */
  readonly threads: number
  close(): Promise<void>
}
