import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import type { LeaseStore, LeasesOptions, Left, PresenceRecord } from './leases.js'
import type { Visibility } from './visibility.js'

interface User {
  /** What the public may know. */
  record: PresenceRecord
  /** What is so: differs from `record` for the invisible. */
  truth: PresenceRecord
  chosen: ChosenStatus
  /** The connections whose leases live. */
  leases: Set<string>
  /** When a user without leases goes offline. */
  graceEndsAt: number
  /** When a connection last was known to live. */
  lastProofAt: number
}

export interface MemoryLeasesOptions extends LeasesOptions, Pick<Visibility, 'visibleTo'> {}

/** After this long offline a record is dropped: by then the clock is far above its version. */
const FORGET_AFTER_MS = 3_600_000

/** The lease store of one node alone. */
export function createMemoryLeases(options: MemoryLeasesOptions): LeaseStore {
  const { leaseMs, connections, visibleTo, now = Date.now } = options
  const users = new Map<string, User>()
  let leaseCount = 0
  /** Users whose state the clock can change: in grace, or offline and to be forgotten. */
  const resting = new Set<string>()
  let onlineCount = 0
  /** When this node last did something here, and whether its leases ran out since. */
  let provenAt = now()
  let isLost = false

  function find(userId: string): User {
    let user = users.get(userId)
    if (!user) {
      const record: PresenceRecord = { userId, isOnline: false, status: 'offline', lastSeenAtMs: null, version: 0 }
      user = { record, truth: record, chosen: 'online', leases: new Set(), graceEndsAt: 0, lastProofAt: 0 }
      users.set(userId, user)
    }
    return user
  }

  /** Puts a user's state right after anything that may have changed it; answers the public record if that did. */
  function settle(user: User): PresenceRecord[] {
    const isHere = user.leases.size > 0 || user.graceEndsAt > now()
    user.truth = changed(user.truth, isHere ? (user.chosen === 'invisible' ? 'online' : user.chosen) : 'offline', user)
    const before = user.record
    user.record = changed(before, user.chosen === 'invisible' ? 'offline' : user.truth.status, user)
    onlineCount += Number(user.record.isOnline) - Number(before.isOnline)
    return user.record === before ? [] : [user.record]
  }

  function changed(record: PresenceRecord, status: PresenceStatus, user: User): PresenceRecord {
    if (record.status === status) return record
    const at = now()
    return {
      userId: record.userId,
      isOnline: status !== 'offline',
      status,
      lastSeenAtMs: user.leases.size > 0 ? at : user.lastProofAt,
      version: Math.max(record.version + 1, at),
    }
  }

  function drop(user: User, connectionId: string, graceMs: number, provenAt: number): PresenceRecord[] {
    user.leases.delete(connectionId)
    leaseCount -= 1
    user.lastProofAt = Math.max(user.lastProofAt, provenAt)
    if (user.leases.size > 0) return []
    resting.add(user.record.userId)
    user.graceEndsAt = graceMs > 0 ? now() + graceMs : 0
    return settle(user)
  }

  function pick(userIds: string[], of: 'record' | 'truth'): Map<string, PresenceRecord> {
    const found = new Map<string, PresenceRecord>()
    for (const userId of userIds) {
      const record = users.get(userId)?.[of]
      if (record && record.version > 0) found.set(userId, record)
    }
    return found
  }

  function lease(userId: string, connectionId: string): PresenceRecord[] {
    const user = find(userId)
    if (!user.leases.has(connectionId)) leaseCount += 1
    user.leases.add(connectionId)
    resting.delete(userId)
    return settle(user)
  }

  /** This node lives: leases that ran out although their connections live are opened anew. */
  function prove(): PresenceRecord[] {
    provenAt = Math.max(provenAt, now())
    if (!isLost) return []
    isLost = false
    return Array.from(connections(), ({ id, userId }) => lease(userId, id)).flat()
  }

  return {
    open: async (userId, connectionId) => [...prove(), ...lease(userId, connectionId)],
    renew: async () => prove(),

    async close(userId, connectionId, graceMs) {
      const anew = prove()
      const user = users.get(userId)
      return user?.leases.has(connectionId) ? [...anew, ...drop(user, connectionId, graceMs, now())] : anew
    },

    async sweep() {
      const at = now()
      const changes: PresenceRecord[] = []
      if (provenAt + leaseMs <= at && leaseCount > 0) {
        isLost = true
        for (const user of users.values()) {
          for (const connectionId of user.leases) changes.push(...drop(user, connectionId, 0, provenAt))
        }
      }
      for (const userId of resting) {
        const user = users.get(userId)
        if (user) changes.push(...settle(user))
        if (user && user.leases.size === 0 && Math.max(user.lastProofAt, user.graceEndsAt) + FORGET_AFTER_MS <= at) {
          users.delete(userId)
          resting.delete(userId)
        }
      }
      return changes
    },

    async setStatus(userId, status) {
      const user = find(userId)
      user.chosen = status
      if (user.leases.size === 0) {
        resting.add(userId)
        user.lastProofAt = now()
      }
      return settle(user)
    },

    get: async (userIds) => pick(userIds, 'record'),
    truth: async (userIds) => pick(userIds, 'truth'),

    left: async (sinceMs) => leftSince(sinceMs, [...resting].map(find)),

    async online({ viewer, after, limit }) {
      let all = Array.from(users.values(), ({ record, truth }) => (viewer ? record : truth))
      all = all.filter(({ isOnline }) => isOnline)
      const visible =
        viewer &&
        (await visibleTo(
          viewer,
          all.map(({ userId }) => userId),
        ))
      if (visible) all = all.filter(({ userId }) => visible.has(userId))
      const rest = all.filter(({ userId }) => userId > after)
      rest.sort((a, b) => (a.userId < b.userId ? -1 : 1))
      return { count: all.length, records: rest.slice(0, limit) }
    },

    countOnline: async () => onlineCount,
    clock: async () => now(),
    sizes: () => ({ users: users.size, connections: leaseCount, resting: resting.size }),

    async stop() {
      const inGrace = [...resting].map(find).filter(({ leases }) => leases.size === 0)
      for (const user of inGrace) user.graceEndsAt = 0
      return inGrace.flatMap(settle)
    },
  }
}

/** Those of some users who are offline in truth, since a time or later. */
function leftSince(sinceMs: number, users: User[]): Left[] {
  return users.flatMap(({ truth: { userId, isOnline, version } }) =>
    isOnline || version === 0 || version < sinceMs ? [] : [{ userId, atMs: version }],
  )
}
