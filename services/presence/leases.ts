import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'

/** What the public may know of a user, and since which version. */
export interface PresenceRecord {
  userId: string
  isOnline: boolean
  status: PresenceStatus
  lastSeenAtMs: number | null
  version: number
}

/**
 * The leases of all connections, and what they make of their users. Laws:
 * 1. A user is online while one lease lives, or for `graceMs` after the last was closed; a lease that ran out gives no grace.
 * 2. A method answers the records that it changed, and only those; a record's version is max(previous + 1, the store's clock in ms).
 * 3. Only the store's clock counts, never a node's.
 * 4. Who chose `invisible` is offline to the public, and no coming or going of theirs changes their record; `truth` tells.
 * 5. A record outlives its user's connections long enough that no version goes back.
 */
export interface LeaseStore {
  /** Opens the lease of a connection, or renews it. */
  open(userId: string, connectionId: string): Promise<PresenceRecord[]>
  /** Renews leases that are open; answers those that are not: who still has the connection opens it anew. */
  renew(connectionIds: string[]): Promise<string[]>
  /** Closes a lease; `graceMs` 0 ends the presence at once when it was the last. */
  close(connectionId: string, graceMs: number): Promise<PresenceRecord[]>
  /** Ends what has run out: leases and graces. */
  sweep(): Promise<PresenceRecord[]>
  /** The records of users who have been here; others have no entry. */
  get(userIds: string[]): Promise<Map<string, PresenceRecord>>
  /** Chooses how a user looks while online; it holds as long as their record does. */
  setStatus(userId: string, status: ChosenStatus): Promise<PresenceRecord[]>
  /** As `get`, but of the invisible as they are. */
  truth(userIds: string[]): Promise<Map<string, PresenceRecord>>
  /** Who is online, by user id. */
  online(options?: { truth?: boolean }): Promise<PresenceRecord[]>
  countOnline(): Promise<number>
  /** The store's clock, in milliseconds since 1970. */
  clock(): Promise<number>
  /** This node goes, its leases closed: a store that goes with it ends the graces that it keeps. */
  stop(): Promise<PresenceRecord[]>
}
