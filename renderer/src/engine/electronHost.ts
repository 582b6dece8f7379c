import type { Transport } from '$contract'
import type { Host } from './host.ts'

const READY = 'lucidex:renderer-ready'
const PORT = 'lucidex:engine-port'

/** Takes the MessagePort that the preload posts to the window: once after the ready message, and again after each restart of the engine. */
export function electronHost(): Host {
  return {
    connect(offer) {
      window.addEventListener('message', (event) => {
        const port = event.ports[0]
        if (event.source === window && event.data === PORT && port) offer(portTransport(port))
      })
      // To this page's own origin only.
      window.postMessage(READY, '/')
    },
  }
}

/** A {@link Transport} over a MessagePort. Closing is announced by the port's own `close` event. */
function portTransport(port: MessagePort): Transport {
  return {
    post: (message) => port.postMessage(message),
    onMessage(listener) {
      port.addEventListener('message', (event) => listener(event.data))
      port.start()
    },
    onClose: (listener) => port.addEventListener('close', () => listener()),
    close: () => port.close(),
  }
}
