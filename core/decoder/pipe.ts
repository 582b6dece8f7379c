import type { Duplex } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import type { Transport } from '../contract/index.ts'

/** Before each message: the length of its body and that of its bytes, 4 bytes each. */
const HEAD = 8

/**
 * A pipe between two Node processes as a {@link Transport}: each message in V8's serialization, and behind it, as
 * they are, the bytes that it has under `bytes`. These belong to the pipe: a listener that wants them after it
 * has returned copies them, and a sender does not change them any more.
 * Node's own channel of a forked process carries some 60 MB/s, this one over a thousand.
 */
export function pipeTransport(pipe: Duplex): Transport {
  const listeners = new Set<(message: unknown) => void>()
  const closed = new Set<() => void>()
  const messages = splitter((message) => {
    for (const listener of listeners) listener(message)
  })
  pipe.on('data', (chunk: Buffer) => {
    try {
      messages(chunk)
    } catch {
      // Not a message: nothing behind it can be understood either.
      pipe.destroy()
    }
  })
  // A pipe whose other end is gone: what matters is that it closes.
  pipe.on('error', () => pipe.destroy())
  pipe.once('end', () => pipe.destroy())
  pipe.once('close', () => {
    for (const listener of closed) listener()
  })
  return {
    post(message) {
      if (pipe.destroyed || !pipe.writable) return
      const bytes = bytesOf(message)
      const body = serialize(bytes ? { ...(message as object), bytes: undefined } : message)
      const head = Buffer.allocUnsafe(HEAD)
      head.writeUInt32LE(body.length, 0)
      head.writeUInt32LE(bytes?.length ?? 0, 4)
      pipe.cork()
      pipe.write(head)
      pipe.write(body)
      if (bytes) pipe.write(bytes)
      pipe.uncork()
    },
    onMessage: (listener) => void listeners.add(listener),
    onClose: (listener) => void closed.add(listener),
    close: () => void pipe.destroy(),
  }
}

function bytesOf(message: unknown): Uint8Array | undefined {
  const { bytes } = (message ?? {}) as { bytes?: unknown }
  return bytes instanceof Uint8Array && bytes.length > 0 ? bytes : undefined
}

/** Takes a stream's chunks and hands over the messages in it. */
function splitter(found: (message: unknown) => void): (chunk: Buffer) => void {
  const head = new Part({ kept: true })
  // What is deserialized are views of it: they outlive the next message.
  const body = new Part({ kept: false })
  const bytes = new Part({ kept: true })
  const parts = [head, body, bytes]
  let at = 0
  head.expect(HEAD)
  return (chunk) => {
    for (let rest = chunk; ;) {
      const part = parts[at]!
      rest = part.take(rest)
      if (!part.isWhole) return
      if (part === head) {
        body.expect(head.data.readUInt32LE(0))
        bytes.expect(head.data.readUInt32LE(4))
      } else if (part === bytes) {
        const message: unknown = deserialize(body.data)
        if (bytes.data.length > 0) (message as { bytes: Uint8Array }).bytes = bytes.data
        head.expect(HEAD)
        found(message)
      }
      at = (at + 1) % parts.length
    }
  }
}

/** So many bytes of a stream, gathered in memory that is taken anew for each, or `kept` for the next ones. */
class Part {
  readonly #kept: boolean
  #memory = Buffer.alloc(0)
  #length = 0
  #held = 0

  constructor({ kept }: { kept: boolean }) {
    this.#kept = kept
  }

  expect(length: number): void {
    if (!this.#kept || length > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(length)
    this.#length = length
    this.#held = 0
  }

  /** Takes what is missing from the front of a chunk and answers the rest. */
  take(chunk: Buffer): Buffer {
    const taken = Math.min(chunk.length, this.#length - this.#held)
    chunk.copy(this.#memory, this.#held, 0, taken)
    this.#held += taken
    return chunk.subarray(taken)
  }

  get isWhole(): boolean {
    return this.#held === this.#length
  }

  get data(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }
}
