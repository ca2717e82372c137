import { type Static, Type } from '@sinclair/typebox'
import { Nullable, OneOf } from './fields.js'
import { keysOf } from './words.js'

/** The catalogue of closings, why the server ends a socket: whether the same client may come back, and its one sentence. */
export const CLOSINGS = {
  TOKEN_EXPIRED: { retryable: false, message: 'The token has expired; connect with a new one.' },
  TOKEN_REVOKED: { retryable: false, message: 'The token was revoked; sign in again.' },
  USER_DELETED: { retryable: false, message: 'This user was deleted.' },
  DISCONNECTED: { retryable: false, message: 'The main service ended this connection.' },
  LOGGED_OUT: { retryable: false, message: 'You have logged out.' },
  ABUSE: { retryable: false, message: 'Too many calls were made against the limit; wait before you connect again.' },
  DRAINING: { retryable: true, message: 'This node is going away; reconnect.' },
  OVERLOADED: { retryable: true, message: 'The server is busy; reconnect soon.' },
  UNAVAILABLE: { retryable: true, message: 'The database cannot be reached; reconnect soon.' },
  SLOW_CONSUMER: { retryable: true, message: 'This connection takes its events too slowly; reconnect.' },
  OUT_OF_STEP: { retryable: true, message: 'The order of events could not be kept here; reconnect.' },
  TOO_MANY_SOCKETS: { retryable: true, message: 'You have too many connections; the oldest was ended.' },
} as const

/** A code of the catalogue of closings. */
export type ClosingCode = keyof typeof CLOSINGS

/** Why a socket ends: what the event `closing` holds. `reconnectInMs` is how long to wait at least, null where it does not matter. */
export const Closing = Type.Object(
  {
    code: OneOf(keysOf(CLOSINGS)),
    message: Type.String(),
    retryable: Type.Boolean(),
    reconnectInMs: Nullable(Type.Integer({ minimum: 0 })),
  },
  { title: 'Closing' },
)
export type Closing = Static<typeof Closing>

/** What a socket that ends for this reason is told. */
export function toClosing(code: ClosingCode, reconnectInMs: number | null = null): Closing {
  const { message, retryable } = CLOSINGS[code]
  return { code, message, retryable, reconnectInMs }
}
