import type { CommandName, Input, Output } from './commands.js'
import type { ErrorBody } from './errors.js'
import type { EventName, EventPayload } from './events.js'

/** What an acknowledgement holds. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody }

/** Socket.IO's types for what clients send. */
export type ClientToServerEvents = {
  [C in CommandName]: (payload: Input<C>, ack?: (answer: Ack<Output<C>>) => void) => void
}

/** Socket.IO's types for what the server sends. */
export type ServerToClientEvents = {
  [E in EventName]: (payload: EventPayload<E>) => void
}
