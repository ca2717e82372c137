import type { Handlers } from '../binder/index.js'
import type { Presence } from '../presence/index.js'
import type { Connection } from '../session/index.js'
import type { Users } from '../users/index.js'
import { actorOf, clientOf, userOf } from './callers.js'

export interface PeopleCommandOptions {
  users: Users
  presence: Presence
}

/** Profiles, presence and one's own going. */
export function createPeopleCommands({ users, presence }: PeopleCommandOptions) {
  return {
    async get_users(caller, { userIds }) {
      return { users: await users.getProfiles(actorOf(caller), [...new Set(userIds)]) }
    },

    async watch_presence(caller, { userIds }) {
      return { presences: await presence.watch(caller, clientOf(caller), userIds) }
    },

    logout(caller) {
      const client = clientOf(caller)
      const connection = userOf(caller) as Connection
      connection.loggedOut = true
      // After the answer is on its way.
      setImmediate(() => client.end())
      return {}
    },
  } satisfies Partial<Handlers>
}
