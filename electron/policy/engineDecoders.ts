import type { DecoderRequest } from '../../core/hosts/brokeredDecoders.ts'

/** A running decoder process. */
export interface DecoderProcess<Port> {
  connect(port: Port): void
  kill(): void
}

export interface EngineDecodersEffects<Port> {
  /** `onExit` is told once why the process is gone, for the log. */
  spawnDecoder(onExit: (reason: string) => void): DecoderProcess<Port>
  /** Two entangled ports. */
  channel(): [Port, Port]
}

/** The decoder processes of one engine, which cannot start any itself: they come when it asks and go when it goes. */
export class EngineDecoders<Port> {
  readonly #effects: EngineDecodersEffects<Port>
  readonly #tell: (request: DecoderRequest, ports?: Port[]) => void
  readonly #running = new Map<number, DecoderProcess<Port>>()

  constructor(effects: EngineDecodersEffects<Port>, tell: (request: DecoderRequest, ports?: Port[]) => void) {
    this.#effects = effects
    this.#tell = tell
  }

  start(id: number): void {
    const [ours, theirs] = this.#effects.channel()
    const decoder = this.#effects.spawnDecoder((reason) => {
      if (this.#running.delete(id)) this.#tell({ type: 'decoder-exit', id, reason })
    })
    this.#running.set(id, decoder)
    decoder.connect(ours)
    this.#tell({ type: 'decoder', id }, [theirs])
  }

  kill(id: number): void {
    this.#running.get(id)?.kill()
  }

  /** The engine is gone: nobody is told any more. */
  end(): void {
    for (const decoder of this.#running.values()) decoder.kill()
    this.#running.clear()
  }
}
