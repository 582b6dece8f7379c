/**
 * The engine's client: the same in the window, in tests and over any transport.
 * It lives in the contract because it needs neither Node nor the DOM.
 */
import { createBirpc } from 'birpc'
import { LucidexError, type ErrorData } from './errors.ts'
import type { EventListener, EventName, EventPayload } from './events.ts'
import { createApi, type EngineApi } from './procedures.ts'

/** A MessagePort-shaped, ordered, two-way channel of structured-clonable values. */
export interface Transport {
  /** Never throws; on a closed channel it does nothing. */
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: () => void): void
  close(): void
}

/** A procedure's answer on the wire. */
export type Envelope = { ok: true; value: unknown } | { ok: false; error: ErrorData }

/** The functions that the engine's side offers to birpc, and the client's side. */
export interface EngineWire {
  call(name: string, argument: unknown): Promise<Envelope>
}
export interface ClientWire {
  event(name: string, payload: unknown): void
}

export interface EngineClient extends EngineApi {
  /** Listens to an event; returns the function that stops listening. */
  on<E extends EventName>(event: E, listener: EventListener<E>): () => void
  /** Called once when the engine goes away; calls then fail with DISCONNECTED. */
  onDisconnect(listener: () => void): void
  close(): void
}

/** A client over `transport`. Every call answers with its value or throws a {@link LucidexError}. */
export function connectEngine(transport: Transport): EngineClient {
  const listeners = new Map<string, Set<(payload: never) => void>>()
  const disconnected = new Set<() => void>()
  let open = true

  const wire = createBirpc<EngineWire, ClientWire>(
    {
      event(name, payload) {
        for (const listener of listeners.get(name) ?? []) listener(payload as never)
      },
    },
    { post: (message) => transport.post(message), on: (receive) => transport.onMessage(receive), timeout: -1 },
  )

  transport.onClose(() => {
    if (!open) return
    open = false
    wire.$close(new LucidexError('DISCONNECTED', 'The engine stopped'))
    for (const listener of disconnected) listener()
  })

  async function call(name: string, argument: unknown): Promise<unknown> {
    if (!open) throw new LucidexError('DISCONNECTED', 'The engine is not running')
    const answer = await wire.call(name, argument)
    if (answer.ok) return answer.value
    const { code, message, ...extra } = answer.error
    throw new LucidexError(code, message, extra)
  }

  return Object.assign(createApi(call), {
    on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set)
      set.add(listener as (payload: never) => void)
      return () => void set.delete(listener as (payload: never) => void)
    },
    onDisconnect(listener: () => void) {
      disconnected.add(listener)
    },
    close() {
      open = false
      wire.$close()
      transport.close()
    },
  })
}
