import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { pipeTransport } from '../../../core/decoder/pipe.ts'
import { createRandom } from '../../../core/random.ts'

/** Two ends of a pipe that hands over what is written in chunks of these lengths, again and again. */
function pipes(lengths: readonly number[]) {
  let turn = 0
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        for (let rest = chunk; rest.length > 0;) {
          const length = lengths[turn++ % lengths.length]!
          other().push(Buffer.from(rest.subarray(0, length)))
          rest = rest.subarray(length)
        }
        done()
      },
    })
  const here: Duplex = make(() => there)
  const there: Duplex = make(() => here)
  return { from: pipeTransport(here), to: pipeTransport(there), there }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

it.each([[[1]], [[3, 1, 7]], [[65_536]], [[1_000_000]]])('messages come whole and in order, whatever the chunks: %o', async (lengths) => {
  const { from, to } = pipes(lengths)
  const random = createRandom(1)
  const sent = Array.from({ length: 30 }, (_, id) => ({
    id,
    name: 'ä'.repeat(random.integer(40)),
    thumbnail: Uint8Array.from({ length: random.integer(300) }, () => random.integer(256)),
    ...(id % 3 !== 0 && { bytes: Uint8Array.from({ length: 1 + random.integer(2000) }, () => random.integer(256)) }),
  }))
  const received: unknown[] = []
  to.onMessage((message) => {
    // Bytes are the pipe's own and copied; the rest is the listener's to keep.
    const { bytes, ...rest } = message as { bytes?: unknown }
    received.push(bytes instanceof Uint8Array ? { ...rest, bytes: Uint8Array.from(bytes) } : message)
  })
  for (const message of sent) from.post(message)
  from.post({ bytes: 12 })
  await turn()
  expect(received).toEqual([...sent, { bytes: 12 }])
})

it('what is no message ends the pipe', async () => {
  const { to, there } = pipes([10])
  let closed = false
  to.onClose(() => (closed = true))
  there.push(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]))
  await turn()
  expect(closed).toBe(true)
})
