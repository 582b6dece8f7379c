import { EventEmitter } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { expect, it, vi } from 'vitest'
import { portTransport, type PortLike } from '../../../core/rpc/port.ts'

const next = <T>(subscribe: (listener: (value: T) => void) => void) => new Promise<T>((resolve) => subscribe(resolve))

it('carries messages both ways over worker ports, bytes as bytes, also those sent before anybody listened', async () => {
  const { port1, port2 } = new MessageChannel()
  const [a, b] = [portTransport(port1), portTransport(port2)]
  a.post({ bytes: new Uint8Array([1, 2, 3]) })
  const received = await next<unknown>((listener) => b.onMessage(listener))
  expect(received).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
  const back = next<unknown>((listener) => a.onMessage(listener))
  b.post('pong')
  expect(await back).toBe('pong')
  a.close()
})

it('tells once when either side closes, and posting is then silent', async () => {
  const { port1, port2 } = new MessageChannel()
  const [a, b] = [portTransport(port1), portTransport(port2)]
  b.onMessage(() => {})
  const own = vi.fn()
  a.onClose(own)
  const remote = next<void>((listener) => b.onClose(listener))
  a.close()
  await remote
  await new Promise(setImmediate)
  expect(own).toHaveBeenCalledTimes(1)
  expect(() => a.post('late')).not.toThrow()
  expect(() => b.post('late')).not.toThrow()
})

it('closes on a value that cannot be cloned instead of leaving the other side waiting', () => {
  const { port1 } = new MessageChannel()
  const transport = portTransport(port1)
  const closed = vi.fn()
  transport.onClose(closed)
  expect(() => transport.post({ answer: () => {} })).not.toThrow()
  expect(closed).toHaveBeenCalledTimes(1)
})

it("understands Electron's ports: an emitter that delivers {data} once it is started", () => {
  const emitter = new EventEmitter()
  const start = vi.fn()
  const port: PortLike = { postMessage() {}, start, close() {}, on: (type, listener) => emitter.on(type, listener) }
  const transport = portTransport(port)
  const [messages, closed] = [vi.fn(), vi.fn()]
  transport.onMessage(messages)
  transport.onClose(closed)
  expect(start).toHaveBeenCalled()
  emitter.emit('message', { data: 42, ports: [] })
  emitter.emit('close')
  expect(messages).toHaveBeenCalledWith(42)
  expect(closed).toHaveBeenCalledTimes(1)
})
