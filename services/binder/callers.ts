import type { COMMANDS, Command, CommandName } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import type { ChatCreation } from '../../contract/who.js'
import type { Caller, UserCaller } from '../hub/callers.js'
import type { Client } from '../hub/ports.js'

/** A user who calls over a socket. */
export type SocketCaller = UserCaller & { client: Client }

/** Who can come as far as a command's handler, by the command's entry. */
export type CallerOf<C extends CommandName> = (typeof COMMANDS)[C]['rest'] extends null
  ? SocketCaller
  : (typeof COMMANDS)[C]['service'] extends true
    ? Caller
    : UserCaller

/** Throws FORBIDDEN for a caller whom the command's entry does not let in; what their role in a chat allows is looked up under its lock. */
export function admit({ rest, service, who }: Command, caller: Caller, chatCreation: ChatCreation): void {
  if (rest === null && !(caller.kind === 'user' && caller.client)) {
    throw new ChatError('FORBIDDEN', { message: 'Only a socket can call this.' })
  }
  if (caller.kind === 'service') {
    if (service) return
    throw new ChatError('FORBIDDEN', { message: 'A service calls this for a user: name one in X-On-Behalf-Of.' })
  }
  if (who === 'creator' && chatCreation === 'service' && !caller.isService) {
    throw new ChatError('FORBIDDEN', { message: 'Chats are made by the main service.' })
  }
}
