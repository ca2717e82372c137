import type { EventName, EventPayload } from '../../contract/events.js'

/** One connected socket, as the services see it. */
export interface Client {
  readonly id: string
  readonly userId: string
  emit<E extends EventName>(event: E, payload: EventPayload<E>): void
  join(room: string): void
  leave(room: string): void
  isIn(room: string): boolean
  readonly connected: boolean
  /** Closes the transport: a stock client comes back by itself and is told anew where it stands. */
  drop(): void
  /** Ends the connection for good: a stock client stays away. */
  end(): void
}

export interface EmitOptions {
  /** Sockets that get nothing. */
  except?: Client[]
  /** May be dropped for a socket that does not keep up. */
  sheddable?: boolean
}

/** The rooms of this node; an emit reaches each socket of the rooms once. */
export interface Rooms {
  emit<E extends EventName>(rooms: string[], event: E, payload: EventPayload<E>, options?: EmitOptions): void
  has(room: string): boolean
  /** Calls back when the last socket has left a room. */
  onEmpty(listener: (room: string) => void): void
}
