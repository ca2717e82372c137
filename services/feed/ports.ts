import type { EventName, EventPayload } from '../../contract/events.js'
import type { Delivery } from './delivery.js'

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

/** Who is connected to this node. */
export interface Roster {
  clientsOf(userId: string): Iterable<Client>
  /** Tells a connection that is still loading its chats that there is one more to look at. */
  noteChat(userId: string, chatId: string): void
}

/** The rooms of this node. */
export interface Rooms {
  /** Delivers a run of logged events to a room, in order; each socket gets it in one write, or is closed. Answers how many deliveries that made. */
  deliver(room: string, deliveries: Delivery[], except?: Client[]): number
  /** Emits what is not logged to each socket of the rooms once; a socket that lags behind may miss it. */
  emit<E extends EventName>(rooms: string[], event: E, payload: EventPayload<E>, options?: { except?: Client[] }): void
  has(room: string): boolean
  /** Calls back when the last socket has left a room. */
  onEmpty(listener: (room: string) => void): void
}
