import type { Transport } from '$contract'

/** Where transports to an engine come from. Each offer replaces the one before: a reconnection or a restarted engine. */
export interface Host {
  connect(offer: (transport: Transport) => void): void
}
