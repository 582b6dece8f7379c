/**
 * The entry of a decoder process that files can bring down by their names, while they are decoded: what a decoder's
 * bugs would do. `abort…` ends it, `hang…` holds its loop for ever, `eat…` takes memory until someone minds, `slow…`
 * never answers; `once…` is killed, but not again when a file named like it with `.seen` behind is there. Everything
 * else is decoded.
 */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DecoderMessage, EngineMessage } from '../../../core/decoder/messages.ts'
import { parentTransport } from '../../../core/decoder/node.ts'
import { serveDecoder } from '../../../core/decoder/serve.ts'

const eaten: Buffer[] = []

const misdeeds: Record<string, () => void> = {
  abort: () => process.abort(),
  hang: () => {
    for (;;);
  },
  eat: () => void setInterval(() => eaten.push(Buffer.alloc(80 * 2 ** 20, 1)), 10),
  slow: () => {},
  once: () => process.kill(process.pid, 'SIGKILL'),
}

function misdeedOf(file: string): (() => void) | undefined {
  const name = /^[a-z]+/.exec(path.basename(file))?.[0] ?? ''
  if (name === 'once' && existsSync(`${file}.seen`)) return undefined
  if (name === 'once') writeFileSync(`${file}.seen`, '')
  return misdeeds[name]
}

const transport = parentTransport()
const doomed = new Map<number, () => void>()
serveDecoder({
  ...transport,
  post(message) {
    const answer = message as DecoderMessage
    const misdeed = 'id' in answer ? doomed.get(answer.id) : undefined
    if (!misdeed || answer.kind === 'read') transport.post(message)
    // Others are under way by then.
    if (misdeed && answer.kind === 'read') setTimeout(misdeed, 50)
  },
  onMessage(listener) {
    transport.onMessage((message) => {
      const request = message as EngineMessage
      const misdeed = request.kind === 'ask' ? misdeedOf(request.path) : undefined
      if (request.kind === 'ask' && misdeed) doomed.set(request.id, misdeed)
      listener(message)
    })
  },
})
