/**
 * The one inference worker: holds the ONNX sessions, because ONNX Runtime's `run()` blocks the thread it
 * is called on, and does every loop over samples itself on shared memory. One message is one tile or one
 * batch, done in the order received.
 */
import { parentPort } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { LucidexError, toErrorData } from '../contract/index.ts'
import { CELL, estimateNoise } from '../denoise/estimate.ts'
import { ENCODER_PX } from '../images/types.ts'
import type { Answer, Request, WorkerMessage, WorkerSettings } from './messages.ts'
import { readSigma } from './noiseMap.ts'
import { readModel, type ModelFile } from './registry.ts'
import { readWindow, readWindowOfPlanes, writeCore, writeCoreOfPlanes, type Planes } from './samples.ts'
import { tileCores, windowOf } from './tiling.ts'
import type { Rect } from './types.ts'

const port = parentPort
if (!port) throw new Error('inference/worker.ts runs as a worker thread')

let settings: WorkerSettings = { threads: 1 }
const sessions = new Map<string, InferenceSession>()
/** The network's inputs, kept between tiles of one shape. */
let input = new Float32Array(0)
let levels = new Float32Array(0)

let queue = Promise.resolve()
port.on('message', (message: WorkerMessage | ({ kind: 'settings' } & WorkerSettings)) => {
  if (message.kind === 'settings') settings = message
  else queue = queue.then(() => (message.kind === 'close' ? close() : answer(message)))
})

async function answer(request: Request): Promise<void> {
  let reply: Answer
  try {
    reply = { id: request.id, ok: true, value: await perform(request) }
  } catch (thrown) {
    const error = toErrorData(thrown)
    reply = { id: request.id, ok: false, error: error.code === 'INTERNAL' ? { ...error, code: 'INFERENCE_FAILED' } : error }
  }
  port!.postMessage(reply)
}

async function close(): Promise<void> {
  for (const session of sessions.values()) await session.release()
  port!.close()
}

async function perform(request: Request) {
  switch (request.kind) {
    case 'tile': {
      const { source, target, core, sigma } = request.tile
      const window = windowOf(core, source.width, source.height, request.model)
      const planes = await denoiseWindow(request.model, window, (image, levels) => {
        readWindow(source, window, image)
        readSigma(sigma, source, window, levels)
      })
      writeCore(planes, window, core, source, target)
      return undefined
    }
    case 'planes':
      return denoisePlanes(request.model, request.planes, request.sigma)
    case 'encode':
      return encode(request.model, request.inputs)
    case 'estimate':
      return estimateNoise(request.source, (planes, width, height) => estimateTile(request.model, planes, width, height))
  }
}

async function denoiseWindow(
  model: ModelFile,
  window: Rect,
  fill: (image: Float32Array, levels: Float32Array) => void,
): Promise<Float32Array> {
  const { width, height } = window
  if (width % model.stride !== 0 || height % model.stride !== 0) {
    throw new LucidexError('MODEL_INVALID', `Tiles of ${width} × ${height} do not fit the model's stride of ${model.stride}`, {
      path: model.path,
    })
  }
  const session = await load(model)
  if (input.length !== 3 * width * height) {
    input = new Float32Array(3 * width * height)
    levels = new Float32Array(width * height)
  }
  fill(input, levels)
  const { denoised } = await session.run({
    image: new Tensor('float32', input, [1, 3, height, width]),
    sigma: new Tensor('float32', levels, [1, 1, height, width]),
  })
  return floats(denoised, input.length, model)
}

async function denoisePlanes(model: ModelFile, source: Planes, sigma: number): Promise<Planes> {
  const target = { ...source, data: new Float32Array(source.data.length) }
  for (const core of tileCores(source.width, source.height)) {
    const window = windowOf(core, source.width, source.height, model)
    const planes = await denoiseWindow(model, window, (image, levels) => {
      readWindowOfPlanes(source, window, image)
      readSigma(sigma, source, window, levels)
    })
    writeCoreOfPlanes(planes, window, core, target)
  }
  return target
}

async function estimateTile(model: ModelFile, planes: Float32Array, width: number, height: number): Promise<Float32Array> {
  const session = await load(model)
  const { level } = await session.run({ image: new Tensor('float32', planes, [1, 3, height, width]) })
  return floats(level, (2 * width * height) / CELL ** 2, model)
}

async function encode(model: ModelFile, inputs: Uint8Array[]): Promise<Float32Array[]> {
  const size = ENCODER_PX * ENCODER_PX
  const images = new Float32Array(inputs.length * 3 * size)
  for (const [index, bytes] of inputs.entries()) {
    const start = index * 3 * size
    for (let pixel = 0; pixel < size; pixel++) {
      for (let plane = 0; plane < 3; plane++) images[start + plane * size + pixel] = bytes[pixel * 3 + plane]! / 255
    }
  }
  const session = await load(model)
  const { descriptor } = await session.run({ image: new Tensor('float32', images, [inputs.length, 3, ENCODER_PX, ENCODER_PX]) }, [
    'descriptor',
  ])
  const dimension = descriptor?.dims[1] ?? 0
  const all = floats(descriptor, inputs.length * dimension, model)
  return inputs.map((_, index) => all.slice(index * dimension, (index + 1) * dimension))
}

function floats(tensor: Tensor | undefined, length: number, model: ModelFile): Float32Array {
  if (!(tensor?.data instanceof Float32Array) || tensor.data.length !== length || length === 0) {
    throw new LucidexError('MODEL_INVALID', 'The model does not answer with the values its kind promises', { path: model.path })
  }
  return tensor.data
}

/** The model's session, made at its first use from bytes that were verified. */
async function load(model: ModelFile): Promise<InferenceSession> {
  const known = sessions.get(model.sha256)
  if (known) return known
  const bytes = await readModel(model)
  try {
    const session = await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
    })
    sessions.set(model.sha256, session)
    return session
  } catch (thrown) {
    throw new LucidexError('MODEL_INVALID', `The model cannot be loaded: ${(thrown as Error).message}`, { path: model.path, cause: thrown })
  }
}
