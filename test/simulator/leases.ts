import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import type { Connection, LeaseStore, PresenceRecord } from '../../services/presence/leases.js'
import type { Owner } from './scheduler.js'

interface User {
  record: PresenceRecord
  chosen: ChosenStatus
  /** The leases that live, and whose node keeps each. */
  leases: Map<string, Owner>
  graceEndsAt: number
  lastSeenAtMs: number
}

export type SharedLeases = ReturnType<typeof createSharedLeases>

/** The leases of all nodes: those of a node live as long as it does something here, and are opened anew when it does so too late. */
export function createSharedLeases(leaseMs: number, now: () => number) {
  const users = new Map<string, User>()
  const provenAt = new Map<Owner, number>()
  const buried = new Set<Owner>()

  function find(userId: string): User {
    let user = users.get(userId)
    if (!user) {
      const record: PresenceRecord = { userId, isOnline: false, status: 'offline', lastSeenAtMs: null, version: 0 }
      user = { record, chosen: 'online', leases: new Map(), graceEndsAt: 0, lastSeenAtMs: 0 }
      users.set(userId, user)
    }
    return user
  }

  function settle(user: User): PresenceRecord[] {
    const at = now()
    const isHere = user.leases.size > 0 || user.graceEndsAt > at
    const status: PresenceStatus = isHere && user.chosen !== 'invisible' ? user.chosen : 'offline'
    const { record } = user
    if (record.status === status) return []
    const lastSeenAtMs = user.leases.size > 0 ? at : user.lastSeenAtMs
    const version = Math.max(record.version + 1, at)
    user.record = { userId: record.userId, isOnline: status !== 'offline', status, lastSeenAtMs, version }
    return [user.record]
  }

  function drop(user: User, connectionId: string, graceMs: number, seenAtMs: number): PresenceRecord[] {
    if (!user.leases.delete(connectionId)) return []
    user.lastSeenAtMs = Math.max(user.lastSeenAtMs, seenAtMs)
    if (user.leases.size > 0) return []
    user.graceEndsAt = graceMs > 0 ? now() + graceMs : 0
    return settle(user)
  }

  function lease(owner: Owner, userId: string, connectionId: string): PresenceRecord[] {
    const user = find(userId)
    user.leases.set(connectionId, owner)
    return settle(user)
  }

  function sweep(): PresenceRecord[] {
    const at = now()
    const changes: PresenceRecord[] = []
    for (const [owner, seenAtMs] of provenAt) {
      if (seenAtMs + leaseMs > at || buried.has(owner)) continue
      buried.add(owner)
      for (const user of users.values()) {
        for (const [connectionId, by] of user.leases) {
          if (by === owner) changes.push(...drop(user, connectionId, 0, seenAtMs))
        }
      }
    }
    for (const user of users.values()) changes.push(...settle(user))
    return changes
  }

  function pick(userIds: string[]): Map<string, PresenceRecord> {
    const found = userIds.flatMap((userId) => users.get(userId)?.record ?? [])
    return new Map(found.filter(({ version }) => version > 0).map((record) => [record.userId, record]))
  }

  const online = () => [...users.values()].map(({ record }) => record).filter(({ isOnline }) => isOnline)

  return {
    isOnline: (userId: string): boolean => users.get(userId)?.record.isOnline ?? false,

    /** The store as one node has it. */
    of(owner: Owner, connections: () => Iterable<Connection>): LeaseStore {
      function prove(): PresenceRecord[] {
        provenAt.set(owner, now())
        return buried.delete(owner)
          ? Array.from(connections(), ({ id, userId }) => lease(owner, userId, id)).flat()
          : []
      }

      return {
        open: async (userId, connectionId) => [...prove(), ...lease(owner, userId, connectionId)],
        renew: async () => prove(),
        close: async (userId, connectionId, graceMs) => [
          ...prove(),
          ...drop(find(userId), connectionId, graceMs, now()),
        ],
        sweep: async () => sweep(),
        async setStatus(userId, status) {
          const user = find(userId)
          user.chosen = status
          return settle(user)
        },
        get: async (userIds) => pick(userIds),
        truth: async (userIds) => pick(userIds),
        left: async (sinceMs) =>
          [...pick([...users.keys()]).values()]
            .filter(({ isOnline, version }) => !isOnline && version >= sinceMs)
            .map(({ userId, version }) => ({ userId, atMs: version })),
        online: async () => ({ count: online().length, records: online() }),
        countOnline: async () => online().length,
        clock: async () => now(),
        sizes: () => ({}),
        stop: async () => [],
      }
    },
  }
}
