import { createBirpc } from 'birpc'
import { toErrorData, type ClientWire, type EngineWire, type Transport } from '../contract/index.ts'
import type { Engine } from '../engine.ts'

/**
 * Serves one client of the engine over `transport`: answers its calls and sends it every event.
 * Returns the function that stops serving.
 */
export function serve(engine: Pick<Engine, 'call' | 'onAny'>, transport: Transport): () => void {
  const wire = createBirpc<ClientWire, EngineWire>(
    {
      async call(name, argument) {
        try {
          return { ok: true, value: await engine.call(name, argument) }
        } catch (thrown) {
          return { ok: false, error: toErrorData(thrown) }
        }
      },
    },
    {
      post: (message) => transport.post(message),
      on: (receive) => transport.onMessage(receive),
      eventNames: ['event'],
      timeout: -1,
      // Own properties only: a client may not reach what functions inherit.
      resolver: (name, resolved) => (name === 'call' ? resolved : undefined),
    },
  )
  const stop = engine.onAny((name, payload) => void wire.event.asEvent(name, payload))
  transport.onClose(stop)
  return () => {
    stop()
    wire.$close()
  }
}
