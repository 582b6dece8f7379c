import { serveDecoder } from '../core/decoder/serve.ts'
import { portTransport, type PortLike } from '../core/rpc/port.ts'

// The entry of a decoder process. The main process sends it one end of its channel to the engine.
process.parentPort.once('message', ({ ports }) => {
  const transport = portTransport(ports[0] as PortLike)
  // Its engine is gone. Not process.exit(): that waits for native threads, and one of them may never come back.
  transport.onClose(() => process.kill(process.pid, 'SIGKILL'))
  serveDecoder(transport)
})
