import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import type { Asker } from '../db/index.js'
import type { Sizes } from '../metrics.js'

/** What the public may know of a user, and since which version. */
export interface PresenceRecord {
  userId: string
  isOnline: boolean
  status: PresenceStatus
  lastSeenAtMs: number | null
  version: number
}

/** A connection whose lease is to be kept. */
export interface Connection {
  id: string
  userId: string
}

/** What every version of the store needs. */
export interface LeasesOptions {
  leaseMs: number
  /** The connections of this node: those that live, whatever the store knows of them. */
  connections(): Iterable<Connection>
  /** The store's clock in milliseconds since 1970, in place of its own. */
  now?: () => number
}

/** A user who is offline, and since when, by the store's clock. */
export interface Left {
  userId: string
  atMs: number
}

/** A page of those online, by user id. */
export interface OnlinePage {
  /** Who asks: of those online, the ones they may know. Without one all are, as they are: also the invisible. */
  viewer?: Asker
  after: string
  limit: number
}

/**
 * The leases of all connections, and what they make of their users. Laws:
 * 1. A user is online while one lease lives, or for `graceMs` after the last was closed. The leases of a node live as long as it does
 *    something here at least every `leaseMs`; those that ran out give no grace.
 * 2. A method answers the records that it changed, and only those; a record's version is max(previous + 1, the store's clock in ms). What
 *    could not be stored at once is answered by a later `sweep`.
 * 3. Only the store's clock counts, never a node's.
 * 4. Who chose `invisible` is offline to the public, and no coming or going of theirs changes their record; `truth` tells.
 * 5. A record outlives its user's connections long enough that no version goes back.
 * 6. A node whose leases are not there any more opens them anew with whatever it does next, as far as their connections live.
 * 7. Who went offline, in truth, is answered by `left` for an hour, as of when the store noticed, unless they are back.
 */
export interface LeaseStore {
  /** Opens the lease of a connection. */
  open(userId: string, connectionId: string): Promise<PresenceRecord[]>
  /** Says that this node lives. */
  renew(): Promise<PresenceRecord[]>
  /** Closes a lease; `graceMs` 0 ends the presence at once when it was the last. */
  close(userId: string, connectionId: string, graceMs: number): Promise<PresenceRecord[]>
  /** Ends what has run out: leases and graces. */
  sweep(): Promise<PresenceRecord[]>
  /** The records of users who have been here; others have no entry. */
  get(userIds: string[], by?: Asker): Promise<Map<string, PresenceRecord>>
  /** Chooses how a user looks while online; it holds at least as long as their record does. */
  setStatus(userId: string, status: ChosenStatus): Promise<PresenceRecord[]>
  /** As `get`, but of the invisible as they are. */
  truth(userIds: string[]): Promise<Map<string, PresenceRecord>>
  /** Who went offline at or after a time of the store's clock, as it was, and is offline still; remembered for an hour. */
  left(sinceMs: number): Promise<Left[]>
  /** A page of those online, and how many they are in all. */
  online(page: OnlinePage): Promise<{ count: number; records: PresenceRecord[] }>
  /** How many the public knows to be online, soon after it was so. */
  countOnline(): Promise<number>
  /** The store's clock, in milliseconds since 1970. */
  clock(): Promise<number>
  /** What is kept on this node. */
  sizes(): Sizes
  /** This node goes, its leases closed: the last to go ends the graces that are left. */
  stop(): Promise<PresenceRecord[]>
}
