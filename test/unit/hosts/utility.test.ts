import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectEngine, LucidexError } from '../../../core/contract/index.ts'
import { runUtilityHost, type UtilityHostOptions, type UtilityReport, type UtilityRequest } from '../../../core/hosts/utility.ts'
import { portTransport, type PortLike } from '../../../core/rpc/port.ts'
import { MediaBroker } from '../../../electron/policy/mediaBroker.ts'

type OpenEngine = NonNullable<UtilityHostOptions['open']>
type FakeEngine = Awaited<ReturnType<OpenEngine>>

const config = { libraryDir: '/library', modelsDir: '/models', version: '1', host: 'electron' } as const
const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const task of cleanUp.splice(0)) task()
})

function fakeEngine(overrides: Partial<FakeEngine> = {}): FakeEngine {
  return {
    call: async (name) => {
      if (name === 'app.info') return { version: '1' }
      throw new LucidexError('ITEM_NOT_FOUND', 'none')
    },
    onAny: () => () => {},
    media: async (path) => ({ status: 200, headers: { 'content-type': 'image/webp' }, body: new TextEncoder().encode(path) }),
    close: async () => {},
    ...overrides,
  }
}

function host(open: OpenEngine) {
  const parent = new EventEmitter()
  const reports: UtilityReport[] = []
  const exit = vi.fn()
  runUtilityHost({ on: (type, listener) => parent.on(type, listener), postMessage: (report) => void reports.push(report) }, { open, exit })
  return {
    reports,
    exit,
    send(request: UtilityRequest, port?: MessagePort) {
      parent.emit('message', { data: request, ports: port ? [port] : [] })
    },
    channel() {
      const { port1, port2 } = new MessageChannel()
      cleanUp.push(() => port1.close())
      return { ours: port1, theirs: port2 }
    },
  }
}

/** A worker's port with the one face that Electron's ports have: `on` delivers `{data}`. */
function electronPort(port: MessagePort): PortLike {
  return {
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
    on: (type, listener) => port.on(type, (data: unknown) => listener({ data })),
  }
}

describe('runUtilityHost', () => {
  it('serves clients, also those who came before the library was open', async () => {
    let opened = (_engine: FakeEngine) => {}
    const { send, channel, reports } = host(
      () =>
        new Promise((resolve) => {
          opened = resolve
        }),
    )
    const { ours, theirs } = channel()
    send({ type: 'start', config })
    send({ type: 'client' }, theirs)
    const client = connectEngine(portTransport(ours))
    const info = client.app.info()
    opened(fakeEngine())
    expect(await info).toEqual({ version: '1' })
    await expect(client.library.item({ id: 1 })).rejects.toMatchObject({ code: 'ITEM_NOT_FOUND' })
    expect(reports).toEqual([])
  })

  it("gives pictures to the main process's broker, each to the one who asked", async () => {
    const delays: Record<string, number> = { '/media/query/slow': 30, '/media/query/quick': 0 }
    const engine = fakeEngine({
      media: async (path) => {
        await new Promise((resolve) => setTimeout(resolve, delays[path]))
        return { status: 200, headers: {}, body: new TextEncoder().encode(path) }
      },
    })
    const { send, channel } = host(async () => engine)
    const { ours, theirs } = channel()
    send({ type: 'start', config })
    send({ type: 'media' }, theirs)
    const broker = new MediaBroker()
    broker.usePort(electronPort(ours))
    const [slow, quick] = await Promise.all([broker.fetch('/media/query/slow'), broker.fetch('/media/query/quick')])
    expect(new TextDecoder().decode(slow.body)).toBe('/media/query/slow')
    expect(new TextDecoder().decode(quick.body)).toBe('/media/query/quick')
    const outside = await broker.fetch('/etc/passwd')
    expect(outside.status).toBe(500)
  })

  it('reports why a library cannot be opened, then exits with 1', async () => {
    const { send, reports, exit } = host(() => Promise.reject(new LucidexError('LIBRARY_IN_USE', 'busy', { path: '/library' })))
    send({ type: 'start', config })
    await vi.waitFor(() => expect(exit).toHaveBeenCalledWith(1))
    expect(reports).toEqual([{ type: 'failed', error: { code: 'LIBRARY_IN_USE', message: 'busy', path: '/library' } }])
  })

  it('closes the library before it exits with 0', async () => {
    const steps: string[] = []
    const { send, exit } = host(async () => fakeEngine({ close: async () => void steps.push('closed') }))
    exit.mockImplementation(() => steps.push('exit'))
    send({ type: 'start', config })
    send({ type: 'shutdown' })
    await vi.waitFor(() => expect(exit).toHaveBeenCalledWith(0))
    expect(steps).toEqual(['closed', 'exit'])
  })
})

describe('MediaBroker', () => {
  it('answers 503 without an engine, and when the engine goes before it answered', async () => {
    const broker = new MediaBroker()
    expect((await broker.fetch('/media/query/x')).status).toBe(503)
    const { port1, port2 } = new MessageChannel()
    cleanUp.push(() => port2.close())
    broker.usePort(electronPort(port1))
    const waiting = broker.fetch('/media/query/x')
    broker.usePort(null)
    expect((await waiting).status).toBe(503)
  })
})
