import { ChatError } from '../../contract/errors.js'
import type { Caller, UserCaller } from '../hub/callers.js'
import type { Client } from '../hub/ports.js'

/** The user who calls; FORBIDDEN for a service that names none. */
export function userOf(caller: Caller): UserCaller {
  if (caller.kind === 'user') return caller
  throw new ChatError('FORBIDDEN', { message: 'A service calls this for a user: name one in X-On-Behalf-Of.' })
}

/** The caller's user id, or null for a service. */
export const actorOf = (caller: Caller): string | null => (caller.kind === 'user' ? caller.userId : null)

/** The socket of a command that only sockets have. */
export function clientOf(caller: Caller): Client {
  const { client } = userOf(caller)
  if (!client) throw new ChatError('FORBIDDEN', { message: 'Only a socket can call this.' })
  return client
}
