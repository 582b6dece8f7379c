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
  /**
   * One run at a time.
   *
   * @param sigma σ in 8-bit units, or σ / 255 of every pixel of a picture whose sides are multiples of the stride
   * @param target what the answer is written into; a new array by default
   */
  run(picture: Planes, sigma: number | Float32Array, target?: Float32Array): Promise<Planes>
  release(): Promise<void>
}

/** Pictures of any size are mirrored up to multiples of the stride. Errors: MODEL_INVALID. */
export async function openNetwork(path: string, { stride, threads }: { stride: number; threads: number }): Promise<Network> {
  const session = await InferenceSession.create(path, sessionOptions({ device: 'cpu', threads })).catch((cause: unknown) => {
    throw new LucidexError('MODEL_INVALID', `The model cannot be loaded: ${(cause as Error).message}`, { path, cause })
  })
  // Kept from run to run, as the app keeps them from tile to tile: the first touch of fresh memory would count as a small network's time.
  let planes: { width: number; height: number; image: Tensor; sigma: Tensor; denoised: Tensor } | undefined
  return {
    async run(picture, sigma, target = new Float32Array(picture.data.length)) {
      const [width, height] = [picture.width, picture.height].map((length) => Math.ceil(length / stride) * stride) as [number, number]
      const window = { x: 0, y: 0, width, height }
      if (planes?.width !== width || planes.height !== height) {
        const plane = (count: number) => new Tensor('float32', new Float32Array(count * width * height), [1, count, height, width])
        planes = { width, height, image: plane(3), sigma: plane(1), denoised: plane(3) }
      }
      const { image, denoised, sigma: levels } = planes
      readWindowOfPlanes(picture, window, image.data as Float32Array)
      if (typeof sigma === 'number') (levels.data as Float32Array).fill(sigma / 255)
      else (levels.data as Float32Array).set(sigma)
      await session.run({ image, sigma: levels }, { denoised })
      const result = { ...picture, data: target }
      writeCoreOfPlanes(denoised.data as Float32Array, window, { ...window, width: picture.width, height: picture.height }, result)
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
