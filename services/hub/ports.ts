import type { Closing } from '../../contract/closings.js'
import type { EventName, EventPayload } from '../../contract/events.js'

/** One connection of this node, as services name it; what it is told or asked goes through the Hub. */
export interface Client {
  readonly id: string
  readonly userId: string
}

/** An event and its payload, ready to emit; `trace` names the commit that it comes from, where another node made that and traces it. */
export type Delivery = {
  [E in EventName]: { event: E; payload: EventPayload<E>; trace?: Record<string, string> }
}[EventName]

/** Whom a signal is for: all who are in some chats, some clients, or both. */
export interface Audience {
  chatIds?: readonly string[]
  clients?: Iterable<Client>
  except?: Iterable<Client>
}

/** A client that takes what it is sent more slowly than it comes. */
export interface Slow {
  client: Client
  /** Bytes that wait for it. */
  bytes: number
}

/**
 * What carries events to the connections of one node. Laws:
 * 1. A client is in a chat from `join` to `leave`; one whose connection has ended is in none. Both take effect at once.
 * 2. What is delivered reaches each client that it is for, in order and without a hole, or that client is told of to `onSlow`.
 * 3. A signal reaches a client once, however many of its chats it is for, and may pass over one that lags behind.
 * 4. `end` tells the closing where it can still be told, as the last event, and ends the connection: for good, or, where the closing
 *    is retryable, so that a stock client comes back by itself.
 * 5. `onEmpty` hears of a chat when the last client has left it.
 * 6. Nothing throws for a client that is gone: there is nobody to reach.
 */
export interface Transport {
  join(client: Client, chatId: string): void
  leave(client: Client, chatId: string): void
  isIn(client: Client, chatId: string): boolean
  /** Whether anybody is in a chat. */
  serves(chatId: string): boolean
  onEmpty(listener: (chatId: string) => void): void
  onSlow(listener: (slow: Slow) => void): void
  /** Delivers to all in a chat but some; answers how many clients that were. */
  deliver(chatId: string, deliveries: Delivery[], except?: ReadonlySet<Client>): number
  /** Delivers to one client. */
  tell(client: Client, delivery: Delivery): void
  signal(audience: Audience, delivery: Delivery): void
  /** Takes no more from a client; settles when all that it asked for is answered. */
  finish(client: Client): Promise<void>
  end(client: Client, closing: Closing): void
  /** Lets go of timers. */
  stop(): void
}
