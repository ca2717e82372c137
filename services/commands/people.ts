import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import type { Handlers } from '../binder/index.js'
import type { Presence } from '../presence/index.js'
import type { Claims } from '../session/claims.js'
import type { Connection, Sessions } from '../session/index.js'
import { toTime } from '../time.js'
import type { Users } from '../users/index.js'
import { actorOf } from './callers.js'

/** What makes a user of a token. */
export interface Tokens {
  readToken(token: string): Promise<Claims>
  authenticate(claims: Claims): Promise<User>
}

export interface PeopleCommandOptions {
  users: Users
  presence: Presence
  sessions: Pick<Sessions, 'renew'>
  tokens: Tokens
}

/** Profiles, presence and one's own going. */
export function createPeopleCommands({ users, presence, sessions, tokens }: PeopleCommandOptions) {
  return {
    async get_users(caller, { userIds }) {
      return { users: await users.getProfiles(actorOf(caller), [...new Set(userIds)]) }
    },

    async watch_presence(caller, { userIds }) {
      return { presences: await presence.watch(caller, caller.client, userIds) }
    },

    async unwatch_presence(caller, { userIds }) {
      return { presences: await presence.unwatch(caller, caller.client, userIds) }
    },

    async set_presence(caller, { status }) {
      return { presence: await presence.setStatus(caller.userId, status) }
    },

    async refresh_token(caller, { token }) {
      const connection = caller as Connection
      const claims = await tokens.readToken(token)
      if (claims.isService || claims.userId !== connection.userId) {
        throw new ChatError('UNAUTHENTICATED', { message: 'The token is of somebody else.' })
      }
      await tokens.authenticate(claims)
      sessions.renew(connection, claims.expiresAtMs)
      return { expiresAt: claims.expiresAtMs === null ? null : toTime(claims.expiresAtMs) }
    },

    logout(caller) {
      const connection = caller as Connection
      connection.loggedOut = true
      // After the answer is on its way.
      setImmediate(() => connection.client.end())
      return {}
    },
  } satisfies Partial<Handlers>
}
