import type { DecoderChild } from '../decoder/types.ts'
import { portTransport, type PortLike } from '../rpc/port.ts'

/** What the engine's process asks of the main process, which alone can start others. */
export type DecoderReport = { type: 'spawn-decoder'; id: number } | { type: 'kill-decoder'; id: number }

/** The answers: a decoder has started (its port beside), or it is gone. */
export type DecoderRequest = { type: 'decoder'; id: number } | { type: 'decoder-exit'; id: number; reason: string }

interface Brokered {
  connect(port: PortLike): void
  exit(reason: string): void
}

/** Decoder processes that another process starts: in Electron a utility process cannot fork. */
export class BrokeredDecoders {
  readonly #report: (report: DecoderReport) => void
  readonly #running = new Map<number, Brokered>()
  #lastId = 0

  constructor(report: (report: DecoderReport) => void) {
    this.#report = report
  }

  spawn(): DecoderChild {
    const id = ++this.#lastId
    let connect: (port: PortLike) => void
    // What is posted before the port is there waits for it, in order.
    const transport = new Promise<PortLike>((resolve) => (connect = resolve)).then(portTransport)
    const exits: ((reason: string) => void)[] = []
    this.#running.set(id, {
      connect: (port) => connect(port),
      exit: (reason) => {
        for (const listener of exits) listener(reason)
      },
    })
    this.#report({ type: 'spawn-decoder', id })
    return {
      transport: {
        post: (message) => void transport.then((open) => open.post(message)),
        onMessage: (listener) => void transport.then((open) => open.onMessage(listener)),
        onClose: (listener) => void transport.then((open) => open.onClose(listener)),
        close: () => void transport.then((open) => open.close()),
      },
      kill: () => this.#report({ type: 'kill-decoder', id }),
      onExit: (listener) => void exits.push(listener),
    }
  }

  /** Takes an answer of the main process. */
  receive(request: DecoderRequest, port: PortLike | undefined): void {
    const decoder = this.#running.get(request.id)
    if (request.type === 'decoder') {
      if (port) decoder?.connect(port)
      return
    }
    this.#running.delete(request.id)
    decoder?.exit(request.reason)
  }
}
