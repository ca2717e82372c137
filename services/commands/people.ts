import { invalid } from '../../contract/errors.js'
import type { Handlers } from '../binder/index.js'
import type { Log } from '../log/index.js'
import type { Presence } from '../presence/index.js'
import type { Sessions } from '../session/index.js'
import { toTime } from '../time.js'
import type { Users } from '../users/index.js'
import { actorOf, askerOf } from './callers.js'

export interface PeopleCommandOptions {
  log: Pick<Log, 'setBlock'>
  users: Users
  presence: Presence
  sessions: Pick<Sessions, 'renew' | 'logout'>
}

/** Profiles, presence and one's own going. */
export function createPeopleCommands({ log, users, presence, sessions }: PeopleCommandOptions) {
  return {
    async get_users(caller, { userIds }) {
      return { users: await users.getProfiles(actorOf(caller), [...new Set(userIds)], askerOf(caller)) }
    },

    async block_user({ userId }, input) {
      if (input.userId === userId) throw invalid({ path: '/userId', message: 'is yourself' })
      return { blockedUserIds: await log.setBlock(userId, input.userId, true) }
    },

    async unblock_user({ userId }, input) {
      return { blockedUserIds: await log.setBlock(userId, input.userId, false) }
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
      const expiresAtMs = await sessions.renew(caller.client, token)
      return { expiresAt: expiresAtMs === null ? null : toTime(expiresAtMs) }
    },

    logout(caller) {
      sessions.logout(caller.client)
      return {}
    },
  } satisfies Partial<Handlers>
}
