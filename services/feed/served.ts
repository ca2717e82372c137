import type { LoggedChange } from '../bus/index.js'
import type { Client, Delivery } from '../hub/ports.js'

/** A client on its way into a chat: it has seen all up to `after`, and `queue` holds what was delivered since. */
export interface Waiting {
  client: Client
  after: number
  queue: LoggedChange[]
  /** Whether it is still reading what was delivered before it came. */
  isReading: boolean
}

/** This node's place in a chat that it serves: everything up to `position` is delivered. */
export interface Served {
  chatId: string
  position: number
  memberCount: number
  /** Delivered changes that the clients in the chat are still to be sent, together. */
  run: Delivery[]
  /** Changes above a hole, by revision. */
  held: Map<number, LoggedChange>
  waiting: Map<Client, Waiting>
  /** Whether the log is being read for the chat, and whether it is to be read once more after that. */
  healing: 'no' | 'running' | 'again'
}

/** A chat that is served from a position on. */
export function createServed(chatId: string, position: number, memberCount: number): Served {
  return { chatId, position, memberCount, run: [], held: new Map(), waiting: new Map(), healing: 'no' }
}
