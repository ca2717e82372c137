import type { LeaseStore, PresenceRecord } from './leases.js'

interface User {
  record: PresenceRecord
  /** Connection → when its lease runs out. */
  leases: Map<string, number>
  /** When a user without leases goes offline. */
  graceEndsAt: number
  /** When a connection last was known to live. */
  lastProofAt: number
}

export interface MemoryLeasesOptions {
  leaseMs: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** After this long offline a record is dropped: by then the clock is far above its version. */
const FORGET_AFTER_MS = 3_600_000

/** The lease store of one node. */
export function createMemoryLeases({ leaseMs, now = Date.now }: MemoryLeasesOptions): LeaseStore {
  const users = new Map<string, User>()
  const owners = new Map<string, string>()
  /** Users whose state the clock can change: in grace, or offline and to be forgotten. */
  const resting = new Set<string>()
  let onlineCount = 0

  function change(user: User, isOnline: boolean): PresenceRecord {
    onlineCount += isOnline ? 1 : -1
    const at = now()
    user.record = {
      ...user.record,
      isOnline,
      status: isOnline ? 'online' : 'offline',
      lastSeenAtMs: isOnline ? at : user.lastProofAt,
      version: Math.max(user.record.version + 1, at),
    }
    return user.record
  }

  function find(userId: string): User {
    let user = users.get(userId)
    if (!user) {
      const record: PresenceRecord = { userId, isOnline: false, status: 'offline', lastSeenAtMs: null, version: 0 }
      user = { record, leases: new Map(), graceEndsAt: 0, lastProofAt: 0 }
      users.set(userId, user)
    }
    return user
  }

  function drop(user: User, connectionId: string, graceMs: number, provenAt: number): PresenceRecord[] {
    user.leases.delete(connectionId)
    owners.delete(connectionId)
    user.lastProofAt = Math.max(user.lastProofAt, provenAt)
    if (user.leases.size > 0) return []
    resting.add(user.record.userId)
    if (graceMs > 0) {
      user.graceEndsAt = now() + graceMs
      return []
    }
    return user.record.isOnline ? [change(user, false)] : []
  }

  return {
    async open(userId, connectionId) {
      const user = find(userId)
      user.leases.set(connectionId, now() + leaseMs)
      owners.set(connectionId, userId)
      resting.delete(userId)
      return user.record.isOnline ? [] : [change(user, true)]
    },

    async renew(connectionIds) {
      const until = now() + leaseMs
      return connectionIds.filter((connectionId) => {
        const leases = users.get(owners.get(connectionId) ?? '')?.leases
        leases?.set(connectionId, until)
        return leases === undefined
      })
    },

    async close(connectionId, graceMs) {
      const user = users.get(owners.get(connectionId) ?? '')
      return user ? drop(user, connectionId, graceMs, now()) : []
    },

    async sweep() {
      const at = now()
      const changed: PresenceRecord[] = []
      for (const user of users.values()) {
        for (const [connectionId, until] of user.leases) {
          if (until <= at) changed.push(...drop(user, connectionId, 0, until - leaseMs))
        }
      }
      for (const userId of resting) {
        const user = users.get(userId)
        if (!user || user.leases.size > 0) resting.delete(userId)
        else if (user.record.isOnline && user.graceEndsAt <= at) changed.push(change(user, false))
        else if (!user.record.isOnline && (user.record.lastSeenAtMs ?? 0) + FORGET_AFTER_MS <= at) {
          users.delete(userId)
          resting.delete(userId)
        }
      }
      return changed
    },

    async get(userIds) {
      const found = new Map<string, PresenceRecord>()
      for (const userId of userIds) {
        const user = users.get(userId)
        if (user) found.set(userId, user.record)
      }
      return found
    },

    async online() {
      const online: PresenceRecord[] = []
      for (const { record } of users.values()) if (record.isOnline) online.push(record)
      return online.sort((a, b) => (a.userId < b.userId ? -1 : 1))
    },

    async countOnline() {
      return onlineCount
    },

    async stop() {
      const inGrace = [...resting].map(find).filter(({ record, leases }) => record.isOnline && leases.size === 0)
      return inGrace.map((user) => change(user, false))
    },
  }
}
