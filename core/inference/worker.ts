/**
 * The one inference worker: holds the ONNX sessions, because ONNX Runtime's `run()` blocks the thread it
 * is called on, and does every loop over samples itself on shared memory. One message is one tile or one
 * batch, done in the order received.
 */
import { parentPort } from 'node:worker_threads'
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node'
import { DEVICES, LucidexError, toErrorData } from '../contract/index.ts'
import { CELL, estimateNoise } from '../denoise/estimate.ts'
import { ENCODER_PX } from '../images/types.ts'
import type { Answer, FellBack, Request, Tasks, WorkerMessage } from './messages.ts'
import { readSigma } from './noiseMap.ts'
import type { ModelFile } from './registry.ts'
import { readWindow, readWindowOfPlanes, writeCore, writeCoreOfPlanes, type Planes } from './samples.ts'
import { ModelSessions, sessionOptions } from './sessions.ts'
import { mirrorRows, spreadOf, windowAround } from './spread.ts'
import type { Decoded, Rect, SpreadRequest } from './types.ts'

const port = parentPort
if (!port) throw new Error('inference/worker.ts runs as a worker thread')

const sessions = new ModelSessions({
  create: (bytes, settings) => InferenceSession.create(bytes, sessionOptions(settings)),
  onFallback: (reason) => port.postMessage({ kind: 'fellBack', reason } satisfies FellBack),
})
/** The network's inputs and its answer, kept between tiles of one shape. */
let input = new Float32Array(0)
let levels = new Float32Array(0)
let output = new Float32Array(0)

let queue = Promise.resolve()
port.on('message', (message: WorkerMessage) => {
  queue = queue.then(() => {
    if (message.kind === 'settings') return sessions.configure(message)
    return message.kind === 'close' ? close() : answer(message)
  })
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
  await sessions.release()
  port!.close()
}

async function perform(request: Request) {
  switch (request.kind) {
    case 'tile': {
      const { source, target, sigma } = request.tile
      const { core, window } = request.tile.tile
      const planes = await denoiseWindow(request.model, window, (image, levels) => {
        readWindow(source, window, image)
        readSigma(sigma, source, window, levels)
      })
      writeCore(planes, window, core, source, target)
      return undefined
    }
    case 'spread':
      return spread(request.model, request.tile)
    case 'load':
      await sessions.load(request.model, request)
      return undefined
    case 'devices': {
      const supported = listSupportedBackends().map(({ name }) => name)
      return DEVICES.filter((device) => supported.includes(device))
    }
    case 'planes':
      return denoisePlanes(request)
    case 'decode':
      return decode(request.model, request.latents)
    case 'encode':
      return encode(request.model, request.inputs)
    case 'estimate':
      return estimateNoise(request.source, (planes, width, height) => estimateTile(request.model, planes, width, height), request.tiles)
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
  if (input.length !== 3 * width * height) {
    input = new Float32Array(3 * width * height)
    levels = new Float32Array(width * height)
    output = new Float32Array(3 * width * height)
  }
  fill(input, levels)
  const image = new Tensor('float32', input, [1, 3, height, width])
  const sigma = new Tensor('float32', levels, [1, 1, height, width])
  const outputs = { denoised: new Tensor('float32', output, [1, 3, height, width]) }
  const { denoised } = await sessions.run(model, { image, sigma }, { accelerated: true, outputs })
  return floats(denoised, input.length, model)
}

/** The network is asked twice, once about the picture and once about its mirror image: where it is sure, it says the same. */
async function spread(model: ModelFile, { source, core, sigma }: SpreadRequest): Promise<Float32Array> {
  const window = windowAround(core, model)
  const ask = (mirror: boolean) =>
    denoiseWindow(model, window, (image, levels) => {
      readWindow(source, window, image)
      readSigma(sigma, source, window, levels)
      if (mirror) for (const planes of [image, levels]) mirrorRows(planes, window.width)
    })
  // The answer lies in memory that the next one uses.
  const first = (await ask(false)).slice()
  const second = await ask(true)
  mirrorRows(second, window.width)
  return spreadOf(first, second, window, core)
}

async function denoisePlanes({ model, planes: source, tiles, sigma }: Tasks['planes']['request']): Promise<Planes> {
  const target = { ...source, data: new Float32Array(source.data.length) }
  for (const { core, window } of tiles) {
    const planes = await denoiseWindow(model, window, (image, levels) => {
      readWindowOfPlanes(source, window, image)
      readSigma(sigma, source, window, levels)
    })
    writeCoreOfPlanes(planes, window, core, target)
  }
  return target
}

async function estimateTile(model: ModelFile, planes: Float32Array, width: number, height: number): Promise<Float32Array> {
  const { level } = await sessions.run(model, { image: new Tensor('float32', planes, [1, 3, height, width]) })
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
  const image = new Tensor('float32', images, [inputs.length, 3, ENCODER_PX, ENCODER_PX])
  const { descriptor } = await sessions.run(model, { image }, { outputs: ['descriptor'], spin: false })
  const dimension = descriptor?.dims[1] ?? 0
  const all = floats(descriptor, inputs.length * dimension, model)
  return inputs.map((_, index) => all.slice(index * dimension, (index + 1) * dimension))
}

async function decode(model: ModelFile, latents: Float32Array[]): Promise<Decoded[]> {
  const dimension = latents[0]?.length ?? 0
  const all = new Float32Array(latents.length * dimension)
  for (const [index, latent] of latents.entries()) all.set(latent, index * dimension)
  const { image } = await sessions.run(model, { latent: new Tensor('float32', all, [latents.length, dimension]) })
  const side = image?.dims[2] ?? 0
  const size = side * side
  const samples = floats(image, latents.length * 3 * size, model)
  return latents.map((_, index) => {
    const data = new Uint8Array(3 * size)
    for (let at = 0; at < data.length; at++) {
      const value = samples[(index * 3 + (at % 3)) * size + Math.floor(at / 3)]!
      data[at] = Math.round(255 * Math.min(1, Math.max(0, value)))
    }
    return { data, side }
  })
}

function floats(tensor: Tensor | undefined, length: number, model: ModelFile): Float32Array {
  if (!(tensor?.data instanceof Float32Array) || tensor.data.length !== length || length === 0) {
    throw new LucidexError('MODEL_INVALID', 'The model does not answer with the values its kind promises', { path: model.path })
  }
  return tensor.data
}
