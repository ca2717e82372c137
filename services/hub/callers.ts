import type { User } from '../../contract/shapes.js'
import type { Client } from './ports.js'

/** Who calls a command: a user, over either door, or a service that names no user. */
export type Caller = UserCaller | ServiceCaller

export interface UserCaller {
  kind: 'user'
  userId: string
  user: User
  /** The connection, when the call came over one. */
  client?: Client
  /** Where its session stands, when the call came over a connection. */
  state?: { is: string }
  /** A service that acts for the user: it may what services may. */
  isService?: true
  /** When the token ends, in milliseconds; null for a token without an end. */
  expiresAtMs: number | null
}

export interface ServiceCaller {
  kind: 'service'
}
