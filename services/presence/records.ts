import type { Presence } from '../../contract/shapes.js'
import { toTime } from '../time.js'
import type { LastSeen } from '../users/index.js'
import type { PresenceRecord } from './leases.js'

/** A record of the lease store as the wire has it. */
export function toPresence({ userId, isOnline, status, lastSeenAtMs, version }: PresenceRecord): Presence {
  return { userId, isOnline, status, lastSeenAt: lastSeenAtMs === null ? null : toTime(lastSeenAtMs), version }
}

/** Somebody of whom the lease store knows nothing: offline since they were last seen, if they ever were. */
export function toOffline(userId: string, lastSeen: LastSeen | undefined): Presence {
  const lastSeenAt = lastSeen ? toTime(lastSeen.lastSeenAtMs) : null
  return { userId, isOnline: false, status: 'offline', lastSeenAt, version: lastSeen?.version ?? 0 }
}

/** What is kept of somebody who went offline. */
export function toLastSeen({ userId, lastSeenAtMs, version }: PresenceRecord): LastSeen {
  return { userId, lastSeenAtMs: lastSeenAtMs ?? version, version }
}
