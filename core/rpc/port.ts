import type { Transport } from '../contract/index.ts'

/**
 * What the message ports of three worlds have in common: worker_threads' and the DOM's `MessagePort`
 * (event targets) and Electron's `MessagePortMain` (an emitter). All of them deliver `{data}` and hold
 * messages back until `start()`.
 */
export interface PortLike {
  postMessage(message: unknown): void
  start(): void
  close(): void
  addEventListener?(type: string, listener: (event: object) => void): void
  on?(type: string, listener: (event: object) => void): unknown
}

/**
 * A message port as the engine's {@link Transport}. Messages sent before the first listener are kept.
 * A value that cannot be cloned closes the port: a client that learns DISCONNECTED can reconnect, one
 * whose answer was dropped would wait for ever.
 */
export function portTransport(port: PortLike): Transport {
  let open = true
  const closed = new Set<() => void>()
  const end = () => {
    if (!open) return
    open = false
    for (const listener of closed) listener()
  }
  const close = () => {
    port.close()
    end()
  }
  listen(port, 'close', end)
  return {
    post(message) {
      if (!open) return
      try {
        port.postMessage(message)
      } catch {
        close()
      }
    },
    onMessage(listener) {
      listen(port, 'message', (event) => listener((event as { data: unknown }).data))
      port.start()
    },
    onClose: (listener) => void closed.add(listener),
    close,
  }
}

// Node's MessagePort has both faces; only the event target's hands over `{data}`.
function listen(port: PortLike, type: string, listener: (event: object) => void): void {
  if (port.addEventListener) port.addEventListener(type, listener)
  else port.on?.(type, listener)
}
