import type { Presence as PresenceShape } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import type { Caller } from '../hub/callers.js'
import type { Hub } from '../hub/index.js'
import type { Client } from '../hub/ports.js'
import type { Users } from '../users/index.js'
import { type AnnouncerOptions, createAnnouncer } from './announcer.js'
import type { LeaseStore, PresenceRecord } from './leases.js'
import { type PartingsOptions, tellPartings } from './partings.js'
import { createPresenceReader } from './reader.js'
import { toOffline, toPresence } from './records.js'
import type { Visibility } from './visibility.js'

export interface PresenceOptions extends AnnouncerOptions {
  leases: LeaseStore
  visibility: Visibility
  blocks: AnnouncerOptions['blocks'] & PartingsOptions['blocks']
  users: Pick<Users, 'saveLastSeen' | 'getLastSeen'>
  hub: AnnouncerOptions['hub'] & PartingsOptions['hub'] & Pick<Hub, 'has' | 'watch' | 'unwatch' | 'watchedBy'>
  graceMs: number
  leaseMs: number
}

const SWEEP_MS = 1_000
const MIN_SWEEP_MS = 20

export type Presence = ReturnType<typeof createPresence>

/** Presence of one node: its connections' leases, and what their users' comings and goings tell whom. */
export function createPresence(options: PresenceOptions) {
  const { leases, visibility, users, hub, logger, graceMs, leaseMs } = options
  const { announce, sizes, stop } = createAnnouncer(options)
  tellPartings(options)
  const { get, listOnline } = createPresenceReader({ leases, visibility, users })

  let isStopped = false
  const sweepMs = Math.min(SWEEP_MS, Math.max(MIN_SWEEP_MS, graceMs / 4))
  const sweeper = every(sweepMs, leases.sweep)
  const renewer = every(leaseMs / 3, leases.renew)

  /** Does something again and again, never twice at a time, and announces what it changed. */
  function every(ms: number, work: () => Promise<PresenceRecord[]>): NodeJS.Timeout {
    let isBusy = false
    return setInterval(() => {
      if (isBusy) return
      isBusy = true
      work()
        .then(announce)
        .catch((error) => {
          // Who takes leave does not wait for what was under way.
          if (!isStopped) logger.warn({ err: error }, 'presence could not be kept up')
        })
        .finally(() => {
          isBusy = false
        })
    }, ms).unref()
  }

  async function connect(client: Client): Promise<void> {
    if (hub.has(client)) announce(await leases.open(client.userId, client.id))
    // It may have gone while its lease was being opened.
    if (!hub.has(client)) await disconnect(client)
  }

  async function disconnect(client: Client, atOnce = false): Promise<void> {
    announce(await leases.close(client.userId, client.id, atOnce ? 0 : graceMs))
  }

  return {
    get,
    listOnline,
    countOnline: leases.countOnline,

    /** A connection began: its user is online. */
    connect,

    /** A connection ended; `atOnce` leaves no grace. */
    disconnect,

    /** Whether a user is online anywhere. */
    async isOnline(userId: string): Promise<boolean> {
      return (await leases.get([userId])).get(userId)?.isOnline ?? false
    },

    /** Announces how some users are, whether or not that has changed. */
    async announce(userIds: string[]): Promise<void> {
      announce([...(await leases.get(userIds)).values()])
    },

    /** Keeps that a user was seen just now, by the lease store's clock; an older version never replaces a newer. */
    async saveSeen(userId: string): Promise<void> {
      const lastSeenAtMs = await leases.clock()
      const version = (await leases.get([userId])).get(userId)?.version ?? lastSeenAtMs
      await users.saveLastSeen([{ userId, lastSeenAtMs, version }])
    },

    /** Follows users for a client, as far as it may know of them; answers how they are. LIMIT_REACHED above MAX_WATCHED_USERS in all. */
    async watch(caller: Caller, client: Client, userIds: string[]): Promise<PresenceShape[]> {
      hub.watch(client, userIds)
      return get(caller, userIds)
    },

    /** No longer follows users for a client; answers how those are that it still follows. */
    async unwatch(caller: Caller, client: Client, userIds: string[]): Promise<PresenceShape[]> {
      hub.unwatch(client, userIds)
      return get(caller, hub.watchedBy(client))
    },

    /** Chooses how a user looks; answers how the public sees them now. */
    async setStatus(userId: string, status: ChosenStatus): Promise<PresenceShape> {
      announce(await leases.setStatus(userId, status))
      const record = (await leases.get([userId])).get(userId)
      return record ? toPresence(record) : toOffline(userId, (await users.getLastSeen([userId])).get(userId))
    },

    /** How much waits to be told. */
    sizes,

    /** Tells what is still to be told, then ends the timers. */
    async stop(): Promise<void> {
      isStopped = true
      clearInterval(sweeper)
      clearInterval(renewer)
      try {
        announce(await leases.stop())
      } catch (error) {
        logger.warn({ err: error }, 'presence could not take its leave; other nodes will see that this one is gone')
      }
      await stop()
    },
  }
}
