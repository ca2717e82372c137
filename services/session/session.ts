import type { ClosingCode } from '../../contract/closings.js'
import type { MyChat } from '../../contract/shapes.js'
import type { UserCaller } from '../hub/callers.js'

/**
 * Where somebody stands on the way through the door. In order: `arriving` while their chats are read, `ready` when they may come in, `in`,
 * `ending` once the server has ended them, and `gone`; from each of them straight to `gone`.
 */
export type State =
  | { is: 'arriving'; missed: Set<string> }
  | {
      is: 'ready'
      /** As they were read, until they are told. */
      chats: MyChat[]
      /** Chats that they came into since. */
      missed: Set<string>
      /** Ends the connection, which may not come in after all: its user's sockets were ended a moment ago. */
      turnAway(): void
    }
  | { is: 'in' }
  | { is: 'ending'; code: ClosingCode }
  | { is: 'gone' }

/** Somebody at the door or inside; as a caller, what the Binder takes. */
export interface Session extends UserCaller {
  state: State
  /** When the token was issued, in milliseconds; null for one that does not say. */
  issuedAtMs: number | null
  /** When it began to arrive, before anything was looked up, by the clock of `performance`. */
  sinceMs: number
}
