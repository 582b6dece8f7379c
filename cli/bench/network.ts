import { InferenceSession, Tensor } from 'onnxruntime-node'
import { LucidexError, type Tier } from '../../core/contract/index.ts'
import { readModel, type ModelRegistry, type Planes } from '../../core/inference/index.ts'
import { readWindowOfPlanes, writeCoreOfPlanes } from '../../core/inference/samples.ts'
import { sessionOptions } from '../../core/inference/sessions.ts'

/**
 * A denoiser outside the engine, for what the app never does: a whole picture in one run, another's network,
 * any noise map. The same runtime and settings as the app's, in this process.
 */
export interface Network {
  /** `sigma`: σ in 8-bit units, or σ / 255 of every pixel of a picture whose sides are multiples of the stride. */
  run(picture: Planes, sigma: number | Float32Array): Promise<Planes>
  release(): Promise<void>
}

/** Pictures of any size are mirrored up to multiples of the stride. Errors: MODEL_INVALID. */
export async function openNetwork(path: string, { stride, threads }: { stride: number; threads: number }): Promise<Network> {
  const session = await InferenceSession.create(path, sessionOptions({ device: 'cpu', threads })).catch((cause: unknown) => {
    throw new LucidexError('MODEL_INVALID', `The model cannot be loaded: ${(cause as Error).message}`, { path, cause })
  })
  return {
    async run(picture, sigma) {
      const [width, height] = [picture.width, picture.height].map((length) => Math.ceil(length / stride) * stride) as [number, number]
      const window = { x: 0, y: 0, width, height }
      const image = new Float32Array(3 * width * height)
      readWindowOfPlanes(picture, window, image)
      const levels = typeof sigma === 'number' ? new Float32Array(width * height).fill(sigma / 255) : sigma
      const { denoised } = await session.run({
        image: new Tensor('float32', image, [1, 3, height, width]),
        sigma: new Tensor('float32', levels, [1, 1, height, width]),
      })
      const result = { ...picture, data: new Float32Array(picture.data.length) }
      writeCoreOfPlanes(denoised!.data as Float32Array, window, { ...window, width: picture.width, height: picture.height }, result)
      return result
    },
    release: () => session.release(),
  }
}

/** A denoiser of the app, once its checksum is verified. Errors: MODEL_NOT_FOUND, MODEL_CHECKSUM, MODEL_INVALID. */
export async function openVerified(registry: ModelRegistry, tier: Tier, threads: number): Promise<Network> {
  const model = registry.file({ kind: 'denoiser', tier })
  await readModel(model)
  return openNetwork(model.path, { stride: model.stride, threads })
}
