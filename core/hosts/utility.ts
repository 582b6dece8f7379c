import { LucidexError, MEDIA_PREFIX, toErrorData, type ErrorData } from '../contract/index.ts'
import type { EngineConfig, EngineDeps } from '../deps.ts'
import { createEngine, type Engine } from '../engine.ts'
import { portTransport, type PortLike } from '../rpc/port.ts'
import { serve } from '../rpc/serve.ts'
import { BrokeredDecoders, type DecoderReport, type DecoderRequest } from './brokeredDecoders.ts'
import { nodeDeps } from './node.ts'

/** Electron's `process.parentPort`, as far as it is used here: core does not import electron. */
export interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: PortLike[] }) => void): unknown
  postMessage(message: UtilityReport): void
}

/** What the main process asks of the engine's process. A port travels beside `client` and `media`. */
export type UtilityRequest =
  { type: 'start'; config: EngineConfig } | { type: 'client' } | { type: 'media' } | { type: 'shutdown' } | DecoderRequest

/** What the engine's process tells the main process. `failed`: the library could not be opened, it exits with 1 after that. */
export type UtilityReport = { type: 'failed'; error: ErrorData } | DecoderReport

/** On a media port: a path of contract/media.ts, and its answer under the same id. */
export interface MediaRequest {
  id: number
  path: string
}
export interface MediaReply {
  id: number
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

/** What a test may replace. */
export interface UtilityHostOptions {
  open?: (config: EngineConfig, deps: Pick<EngineDeps, 'spawnDecoder'>) => Promise<Pick<Engine, 'call' | 'onAny' | 'media' | 'close'>>
  /** Ends this process. */
  exit?: (code: number) => void
}

/**
 * Runs the engine in a process whose parent speaks over `parent`: `start` opens the library, each
 * `client` port is served, a `media` port answers {@link MediaRequest}s, `shutdown` closes the library
 * and exits with 0. A library that cannot be opened is reported by `failed` with its code, then exit 1.
 * Clients and media may be asked for before the engine is ready: they wait for it.
 */
export function runUtilityHost(parent: ParentPort, options: UtilityHostOptions = {}): void {
  const { open = (config, deps) => createEngine(config, { ...nodeDeps(), ...deps }), exit = (code) => process.exit(code) } = options
  const decoders = new BrokeredDecoders((report) => parent.postMessage(report))
  let engine: ReturnType<typeof open> | undefined

  const started = (): ReturnType<typeof open> => engine ?? Promise.reject(new LucidexError('BAD_REQUEST', 'The engine was not started'))

  function start(config: EngineConfig): void {
    if (engine) return
    engine = open(config, { spawnDecoder: () => decoders.spawn() })
    engine.catch((thrown: unknown) => {
      parent.postMessage({ type: 'failed', error: toErrorData(thrown) })
      // A process that exits at once may take its last message with it.
      setTimeout(() => exit(1), 100)
    })
  }

  function client(port: PortLike): void {
    started().then(
      (running) => void serve(running, portTransport(port)),
      () => port.close(),
    )
  }

  function media(port: PortLike): void {
    const transport = portTransport(port)
    transport.onMessage((message) => {
      const { id, path } = message as MediaRequest
      mediaReply(path).then((reply) => transport.post({ id, ...reply }))
    })
  }

  async function mediaReply(path: string): Promise<Omit<MediaReply, 'id'>> {
    try {
      if (!path.startsWith(MEDIA_PREFIX)) throw new LucidexError('BAD_REQUEST', `${path} is not a media path`)
      return await (await started()).media(path)
    } catch (thrown) {
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: new TextEncoder().encode(toErrorData(thrown).message) }
    }
  }

  async function shutdown(): Promise<void> {
    const running = await engine?.catch(() => undefined)
    await running?.close()
    exit(0)
  }

  parent.on('message', ({ data, ports }) => {
    const request = data as UtilityRequest
    const [port] = ports
    if (request.type === 'start') start(request.config)
    else if (request.type === 'client' && port) client(port)
    else if (request.type === 'media' && port) media(port)
    else if (request.type === 'decoder' || request.type === 'decoder-exit') decoders.receive(request, port)
    else if (request.type === 'shutdown') {
      shutdown().catch((thrown: unknown) => {
        console.error(thrown)
        exit(1)
      })
    }
  })
}
