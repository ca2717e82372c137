import { ChatError } from '../../contract/errors.js'
import { MAX_WATCHED_USERS } from '../../contract/limits.js'
import type { Client } from './ports.js'
import { SetMap } from './sets.js'

/** Who watches whom: clients ↔ the users whose presence they follow. */
export function createWatchers() {
  const watchers = new SetMap<string, Client>()
  const watched = new SetMap<Client, string>()

  return {
    /** Has a client follow users; LIMIT_REACHED above MAX_WATCHED_USERS in all. */
    watch(client: Client, userIds: string[]): void {
      if (new Set([...watched.get(client), ...userIds]).size > MAX_WATCHED_USERS) {
        throw new ChatError('LIMIT_REACHED', { message: `A socket watches at most ${MAX_WATCHED_USERS} users.` })
      }
      for (const userId of userIds) {
        watched.add(client, userId)
        watchers.add(userId, client)
      }
    },

    /** Has a client follow users no more. */
    unwatch(client: Client, userIds: Iterable<string>): void {
      for (const userId of userIds) {
        watched.delete(client, userId)
        watchers.delete(userId, client)
      }
    },

    /** The users whom a client follows. */
    watchedBy: (client: Client): string[] => [...watched.get(client)],

    /** The clients that follow a user. */
    watchersOf: (userId: string): ReadonlySet<Client> => watchers.get(userId),

    /** How many follow, and how many are followed. */
    sizes: () => ({ watchers: watched.size, watched: watchers.size }),
  }
}
