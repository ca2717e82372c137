import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import type { PresenceRecord } from '../../services/presence/leases.js'

interface User {
  /** What the public may know. */
  record: PresenceRecord
  /** What is so: differs from `record` for the invisible. */
  truth: PresenceRecord
  chosen: ChosenStatus
  /** Connection → when its lease runs out. */
  leases: Map<string, number>
  /** When a user without leases goes offline. */
  graceEndsAt: number
  /** When a connection last was known to live. */
  lastProofAt: number
}

export interface SharedLeasesOptions {
  leaseMs: number
  /** Milliseconds since 1970. */
  now: () => number
}

/** After this long offline a record is dropped: by then the clock is far above its version. */
const FORGET_AFTER_MS = 3_600_000

export type SharedLeases = ReturnType<typeof createSharedLeases>

/** A lease store that all nodes share: each connection has a lease of its own, so that a node may die, sleep, or come back at any step. */
export function createSharedLeases({ leaseMs, now }: SharedLeasesOptions) {
  const users = new Map<string, User>()
  const owners = new Map<string, string>()
  /** Users whose state the clock can change: in grace, or offline and to be forgotten. */
  const resting = new Set<string>()
  let onlineCount = 0

  function find(userId: string): User {
    let user = users.get(userId)
    if (!user) {
      const record: PresenceRecord = { userId, isOnline: false, status: 'offline', lastSeenAtMs: null, version: 0 }
      user = { record, truth: record, chosen: 'online', leases: new Map(), graceEndsAt: 0, lastProofAt: 0 }
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
    owners.delete(connectionId)
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

  return {
    async open(userId: string, connectionId: string): Promise<PresenceRecord[]> {
      const user = find(userId)
      user.leases.set(connectionId, now() + leaseMs)
      owners.set(connectionId, userId)
      resting.delete(userId)
      return settle(user)
    },

    async renew(connectionIds: string[]): Promise<string[]> {
      const until = now() + leaseMs
      return connectionIds.filter((connectionId) => {
        const leases = users.get(owners.get(connectionId) ?? '')?.leases
        leases?.set(connectionId, until)
        return leases === undefined
      })
    },

    async close(connectionId: string, graceMs: number): Promise<PresenceRecord[]> {
      const user = users.get(owners.get(connectionId) ?? '')
      return user ? drop(user, connectionId, graceMs, now()) : []
    },

    async sweep(): Promise<PresenceRecord[]> {
      const at = now()
      const changes: PresenceRecord[] = []
      for (const user of users.values()) {
        for (const [connectionId, until] of user.leases) {
          if (until <= at) changes.push(...drop(user, connectionId, 0, until - leaseMs))
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

    async setStatus(userId: string, status: ChosenStatus): Promise<PresenceRecord[]> {
      const user = find(userId)
      user.chosen = status
      if (user.leases.size === 0) {
        resting.add(userId)
        user.lastProofAt = now()
      }
      return settle(user)
    },

    get: async (userIds: string[]) => pick(userIds, 'record'),
    truth: async (userIds: string[]) => pick(userIds, 'truth'),

    countOnline: async () => onlineCount,
    clock: async () => now(),
  }
}
