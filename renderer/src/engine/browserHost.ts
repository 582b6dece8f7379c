import { decode, encode } from '@msgpack/msgpack'
import type { Transport } from '$contract'
import type { Host } from './host.ts'

const FIRST_RETRY_MS = 400
const LAST_RETRY_MS = 5000

/** The loopback host's WebSocket, opened again for as long as the page lives. */
export function browserHost(url = engineUrl()): Host {
  return {
    connect(offer) {
      let retryMs = FIRST_RETRY_MS
      const open = () => {
        const socket = new WebSocket(url)
        socket.binaryType = 'arraybuffer'
        socket.addEventListener('open', () => {
          retryMs = FIRST_RETRY_MS
          offer(socketTransport(socket))
        })
        socket.addEventListener('close', () => {
          setTimeout(open, retryMs)
          retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
        })
      }
      open()
    },
  }
}

function engineUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/engine`
}

/** A {@link Transport} of MessagePack frames over an open WebSocket. */
function socketTransport(socket: WebSocket): Transport {
  return {
    post(message) {
      // Left-out and undefined fields are the same to the contract; MessagePack would make the latter null.
      if (socket.readyState === WebSocket.OPEN) socket.send(encode(message, { ignoreUndefined: true }))
    },
    onMessage: (listener) => socket.addEventListener('message', (event) => listener(decode(new Uint8Array(event.data as ArrayBuffer)))),
    onClose: (listener) => socket.addEventListener('close', () => listener()),
    close: () => socket.close(),
  }
}
