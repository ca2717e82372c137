import { PAGES } from '../../contract/limits.js'
import type { Presence } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Caller } from '../hub/callers.js'
import type { LastSeen, Users } from '../users/index.js'
import type { LeaseStore } from './leases.js'
import { toOffline, toPresence } from './records.js'
import type { Visibility } from './visibility.js'

export interface PresenceReaderOptions {
  leases: Pick<LeaseStore, 'get' | 'truth' | 'online'>
  visibility: Pick<Visibility, 'visibleTo'>
  users: Pick<Users, 'getLastSeen'>
}

/** Answers how users are, as far as a caller may know: users know of people they share a chat with, services the truth of all. */
export function createPresenceReader({ leases, visibility, users }: PresenceReaderOptions) {
  return {
    /** The presences of some users, in the order asked; who is hidden looks as one who is unknown. */
    async get(caller: Caller, userIds: string[]): Promise<Presence[]> {
      const isService = caller.kind === 'service'
      const asked = [...new Set(userIds)]
      const visible = isService ? new Set(asked) : await visibility.visibleTo(caller, asked)
      const records = await (isService ? leases.truth([...visible]) : leases.get([...visible], caller))
      const absent = [...visible].filter((userId) => !records.has(userId))
      const lastSeen =
        absent.length > 0
          ? await users.getLastSeen(absent, isService ? undefined : caller)
          : new Map<string, LastSeen>()
      return userIds.map((userId) => {
        const record = records.get(userId)
        return record ? toPresence(record) : toOffline(userId, lastSeen.get(userId))
      })
    },

    /** A page of those online whom a caller may know, by user id, and how many they are. */
    async listOnline(caller: Caller, cursor: string | undefined, limit: number = PAGES.online.standard) {
      const [after = ''] = cursor === undefined ? [] : readCursor(cursor, 'id')
      // One more than a page holds says that there is another.
      const asked = { after, limit: limit + 1, ...(caller.kind === 'user' && { viewer: caller }) }
      const { count, records } = await leases.online(asked)
      const page = records.slice(0, limit)
      const last = records.length > limit ? page.at(-1) : undefined
      return { count, users: page.map(toPresence), nextCursor: last ? writeCursor(last.userId) : null }
    },
  }
}
