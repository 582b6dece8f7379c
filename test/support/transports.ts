import { MessageChannel } from 'node:worker_threads'
import { decode, encode } from '@msgpack/msgpack'
import WebSocket from 'ws'
import type { Transport } from '../../core/contract/index.ts'
import type { Engine } from '../../core/engine.ts'
import { startLoopback, type LoopbackHost } from '../../core/hosts/loopback.ts'
import { portTransport } from '../../core/rpc/port.ts'
import { serve } from '../../core/rpc/serve.ts'

/** A host under test: how a client reaches an engine through it. */
export interface HostUnderTest {
  connect(): Promise<Transport>
  close(): Promise<void>
}

/** Two ends of one channel in this process; messages are cloned, as they are on a real wire. */
export function inProcess(engine: Engine): HostUnderTest {
  return {
    async connect() {
      const ends = [end(), end()] as const
      ends[0].peer = ends[1]
      ends[1].peer = ends[0]
      serve(engine, ends[0].transport)
      return ends[1].transport
    },
    async close() {},
  }
}

interface End {
  transport: Transport
  peer: End | undefined
  receive: (message: unknown) => void
  closed: () => void
}

function end(): End {
  const self: End = {
    peer: undefined,
    receive: () => {},
    closed: () => {},
    transport: {
      post: (message) => {
        const copy = structuredClone(message)
        queueMicrotask(() => self.peer?.receive(copy))
      },
      onMessage: (listener) => (self.receive = listener),
      onClose: (listener) => (self.closed = listener),
      close: () => self.peer?.closed(),
    },
  }
  return self
}

/** As in Electron: the engine holds one port of a channel, the client the other. */
export function messagePort(engine: Engine): HostUnderTest {
  const ports: { close(): void }[] = []
  return {
    async connect() {
      const { port1, port2 } = new MessageChannel()
      ports.push(port1, port2)
      serve(engine, portTransport(port1))
      return portTransport(port2)
    },
    async close() {
      for (const port of ports) port.close()
    },
  }
}

/** The browser host, reached as a browser would: token, cookie, WebSocket. */
export async function loopback(engine: Engine, rendererDir: string): Promise<HostUnderTest & { host: LoopbackHost }> {
  const host = await startLoopback(engine, { rendererDir })
  const cookie = await sessionCookie(host.url)
  return {
    host,
    connect: () => socketClient(host.port, { Cookie: cookie, Origin: `http://127.0.0.1:${host.port}` }),
    close: () => host.close(),
  }
}

/** Trades the one-time token in `url` for the session cookie. */
export async function sessionCookie(url: string): Promise<string> {
  const entry = await fetch(url, { redirect: 'manual' })
  return (entry.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

/** A WebSocket client with the given headers. Rejects when it is refused. */
export async function socketClient(port: number, headers: Record<string, string>): Promise<Transport> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/engine`, { headers })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    post: (message) => socket.send(encode(message, { ignoreUndefined: true })),
    onMessage: (listener) => socket.on('message', (data: Buffer) => listener(decode(data))),
    onClose: (listener) => socket.on('close', () => listener()),
    close: () => socket.close(),
  }
}
