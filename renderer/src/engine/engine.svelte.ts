import { connectEngine, LucidexError, type AppInfo, type EngineClient, type EventListener, type EventName } from '$contract'
import type { Host } from './host.ts'

/**
 * The window's connection to the engine. It outlives the engine: listeners stay registered over
 * reconnections, and {@link onReady} runs at each of them so that views read again what they show.
 */
export class EngineConnection {
  /** `lost`: it was there and is gone; the host is trying to bring it back. */
  state = $state<'connecting' | 'ready' | 'lost'>('connecting')
  info = $state.raw<AppInfo | null>(null)

  #client: EngineClient | null = null
  #listeners: ((client: EngineClient) => void)[] = []
  #ready: (() => void)[] = []

  start(host: Host): void {
    host.connect((transport) => {
      this.#client?.close()
      const client = connectEngine(transport)
      this.#client = client
      client.onDisconnect(() => {
        if (this.#client === client) this.state = 'lost'
      })
      for (const listen of this.#listeners) listen(client)
      void this.#begin(client)
    })
  }

  async #begin(client: EngineClient): Promise<void> {
    try {
      const info = await client.app.info()
      if (this.#client !== client) return
      this.info = info
      this.state = 'ready'
      for (const listener of this.#ready) listener()
    } catch {
      // The engine went away between connecting and answering; the host offers another transport.
      if (this.#client === client) this.state = 'lost'
    }
  }

  /** The client to call. Throws DISCONNECTED before the first connection. */
  get api(): EngineClient {
    if (!this.#client) throw new LucidexError('DISCONNECTED', 'The engine is not running')
    return this.#client
  }

  /** Listens to an event of this and every later engine. */
  on<E extends EventName>(event: E, listener: EventListener<E>): void {
    this.#listeners.push((client) => client.on(event, listener))
    this.#client?.on(event, listener)
  }

  /** Runs now if the engine is there, and at every connection. */
  onReady(listener: () => void): void {
    this.#ready.push(listener)
    if (this.state === 'ready') listener()
  }
}

export const engine = new EngineConnection()
