import type { BusKind } from './index.js'

/** One connection to what carries packets between nodes. */
export interface Link {
  /** Settles when the server has taken the packet; rejects, at the latest, when the link is closed. */
  send(packet: string): Promise<void>
  /** Lets go at once, whatever hangs. */
  close(): void
}

export interface LinkListener {
  /** Hears every packet that is sent by anybody, this link's own too, in the order that the server has for all. */
  onPacket(packet: string): void
  /** Hears, once, that the link is of no more use. */
  onClosed(error: unknown): void
}

/** What carries packets between the nodes of one service, and to no other's. */
export interface Carrier {
  kind: BusKind
  /** How large a packet may be, in bytes. */
  maxBytes: number
  /** Connects and listens; rejects, within seconds, where that cannot be. */
  open(listener: LinkListener): Promise<Link>
}
