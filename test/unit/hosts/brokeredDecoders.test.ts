import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { createDecoder, decodeHere, serveDecoder, type PictureDecoder } from '../../../core/decoder/index.ts'
import { BrokeredDecoders, type DecoderReport } from '../../../core/hosts/brokeredDecoders.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { portTransport, type PortLike } from '../../../core/rpc/port.ts'
import { EngineDecoders } from '../../../electron/policy/engineDecoders.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const folder = await temporaryFolder()
const photos = await writePhotos(join(folder, 'photos'), 3)
const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const task of cleanUp.splice(0)) task()
})

/** An engine and a main process that talk as in Electron. Decoders serve in this process behind real ports. */
function application() {
  const exits: ((reason: string) => void)[] = []
  const killed: number[] = []
  const main = new EngineDecoders<MessagePort>(
    {
      channel() {
        const { port1, port2 } = new MessageChannel()
        cleanUp.push(() => port1.close())
        return [port1, port2]
      },
      spawnDecoder(onExit) {
        const index = exits.push(onExit) - 1
        return {
          connect: (port) => void setTimeout(() => serveDecoder(portTransport(port as unknown as PortLike)), 20),
          kill: () => void killed.push(index),
        }
      },
    },
    (request, ports) => setImmediate(() => engine.receive(request, ports?.[0] as unknown as PortLike)),
  )
  const engine: BrokeredDecoders = new BrokeredDecoders((report: DecoderReport) => {
    setImmediate(() => (report.type === 'spawn-decoder' ? main.start(report.id) : main.kill(report.id)))
  })
  const decoder: PictureDecoder = createDecoder({ spawn: () => engine.spawn(), log: silentLog, indexers: 1 })
  cleanUp.push(() => void decoder.close())
  return { decoder, exits, killed }
}

describe('decoders that the main process starts', () => {
  it('answer over the port they are given', async () => {
    const { decoder, exits } = application()
    const [file] = photos
    const found = await decoder.readForIndex(file!)
    const wanted = await decodeHere.readForIndex(file!)
    expect({ ...found, encoderInput: null, thumbnail: null }).toEqual({ ...wanted, encoderInput: null, thumbnail: null })
    expect(Buffer.from(found.encoderInput).equals(wanted.encoderInput)).toBe(true)
    expect((await decoder.readPicture(file!)).buffer).toBeInstanceOf(SharedArrayBuffer)
    // One for the index, one for the window.
    expect(exits).toHaveLength(2)
  })

  it('are replaced when they are gone, and killed when the engine is done with them', async () => {
    const { decoder, exits, killed } = application()
    await decoder.readForIndex(photos[0]!)
    exits[0]!('segfault')
    await new Promise((done) => setTimeout(done, 20))
    await decoder.readForIndex(photos[1]!)
    expect(exits).toHaveLength(2)
    await decoder.close()
    await expect.poll(() => killed).toContain(1)
  })
})
