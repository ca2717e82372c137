import { setTimeout as sleep } from 'node:timers/promises'
import { ChatError } from '../../contract/errors.js'
import type { Presence as PresenceShape } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import { roomOf } from '../feed/delivery.js'
import type { Client, Rooms } from '../feed/ports.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Caller } from '../session/callers.js'
import { toTime } from '../time.js'
import type { LastSeen, Users } from '../users/index.js'
import type { ChosenStatus, LeaseStore, PresenceRecord } from './leases.js'
import { type createVisibility, pairOf } from './visibility.js'

export interface PresenceOptions {
  leases: LeaseStore
  visibility: ReturnType<typeof createVisibility>
  users: Pick<Users, 'saveLastSeen' | 'getLastSeen'>
  rooms: Rooms
  logger: Logger
  graceMs: number
  leaseMs: number
  maxMembers: number
  metrics?: Pick<Metrics, 'presenceChanges'>
}

/** How long changes gather before they go out together. */
const COALESCE_MS = 50
const RETRY_MS = 500
const SWEEP_MS = 1_000
const MAX_WATCHED = 500

export type Presence = ReturnType<typeof createPresence>

/** Presence of one node: its connections' leases, and what their users' comings and goings tell whom. */
export function createPresence(options: PresenceOptions) {
  const { leases, visibility, users, rooms, logger, graceMs, leaseMs, maxMembers, metrics } = options
  const connections = new Map<string, Client>()
  const watchers = new Map<string, Set<Client>>()
  const watching = new Map<Client, Set<string>>()
  let changed = new Map<string, PresenceRecord>()
  let flushing: Promise<void> | null = null
  let stopped = false

  const sweeper = every(Math.min(SWEEP_MS, Math.max(20, graceMs / 4)), async () => note(await leases.sweep()))
  const renewer = every(leaseMs / 3, renew)

  function every(ms: number, work: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => {
      work().catch((error) => logger.warn({ err: error }, 'presence could not be kept up'))
    }, ms).unref()
  }

  /** Keeps the leases; those that ran out although their connections live, as after a sleep of the machine, are opened anew. */
  async function renew(): Promise<void> {
    for (const connectionId of await leases.renew([...connections.keys()])) {
      const client = connections.get(connectionId)
      if (client) note(await leases.open(client.userId, connectionId))
    }
  }

  function note(records: PresenceRecord[]): void {
    for (const record of records) changed.set(record.userId, record)
    if (changed.size > 0 && !flushing) {
      flushing = new Promise((resolve) => setTimeout(resolve, COALESCE_MS)).then(flush)
    }
  }

  async function flush(): Promise<void> {
    const records = changed
    changed = new Map()
    try {
      await push([...records.values()])
    } catch (error) {
      logger.warn({ err: error, users: records.size }, 'presence changes could not be told yet')
      if (!stopped) {
        // What has changed meanwhile is newer.
        changed = new Map([...records, ...changed])
        await sleep(RETRY_MS)
      }
    }
    flushing = null
    note([])
  }

  async function push(records: PresenceRecord[]): Promise<void> {
    if (records.length === 0) return
    metrics?.presenceChanges.inc(records.length)
    const gone = records.filter(({ isOnline }) => !isOnline)
    if (gone.length > 0) await users.saveLastSeen(gone.map(toLastSeen))

    const userIds = records.map(({ userId }) => userId)
    const watched = userIds.filter((userId) => watchers.has(userId))
    const viewers = [
      ...new Set(watched.flatMap((userId) => [...(watchers.get(userId) ?? [])].map((client) => client.userId))),
    ]
    const [chats, pairs] = await Promise.all([
      visibility.pushChats(userIds, maxMembers),
      watched.length > 0 ? visibility.visiblePairs(viewers, watched) : new Set<string>(),
    ])
    for (const record of records) {
      const { userId } = record
      const audience = (chats.get(userId) ?? []).map(roomOf).filter(rooms.has)
      for (const client of watchers.get(userId) ?? []) {
        if (client.userId === userId || pairs.has(pairOf(client.userId, userId))) audience.push(client.id)
      }
      if (audience.length > 0) rooms.emit(audience, 'user_status_change', toPresence(record))
    }
  }

  /** The presences of some users as a caller may know them, in the order asked. */
  async function get(caller: Caller, userIds: string[]): Promise<PresenceShape[]> {
    const visible =
      caller.kind === 'service' ? new Set(userIds) : await visibility.visibleTo(caller.userId, [...new Set(userIds)])
    const records = await (caller.kind === 'service' ? leases.truth : leases.get)([...visible])
    const absent = [...visible].filter((userId) => !records.has(userId))
    const lastSeen = absent.length > 0 ? await users.getLastSeen(absent) : new Map<string, LastSeen>()
    return userIds.map((userId) => {
      const record = records.get(userId)
      return record ? toPresence(record) : toOffline(userId, lastSeen.get(userId))
    })
  }

  return {
    get,

    /** A connection begins: its user is online. */
    async connect(client: Client): Promise<void> {
      connections.set(client.id, client)
      note(await leases.open(client.userId, client.id))
      // It may have gone while its lease was being opened.
      if (!client.connected) await this.disconnect(client)
    },

    /** A connection ended; `atOnce` leaves no grace. */
    async disconnect(client: Client, atOnce = false): Promise<void> {
      connections.delete(client.id)
      for (const userId of watching.get(client) ?? []) forget(client, userId)
      watching.delete(client)
      note(await leases.close(client.id, atOnce ? 0 : graceMs))
    },

    /** Whether a user is online anywhere. */
    async isOnline(userId: string): Promise<boolean> {
      return (await leases.get([userId])).get(userId)?.isOnline ?? false
    },

    countOnline: leases.countOnline,

    /** Tells how some users are, whether or not that has changed. */
    async tell(userIds: string[]): Promise<void> {
      note([...(await leases.get(userIds)).values()])
    },

    /** A page of those online whom a caller may know, by user id, and how many they are. */
    async listOnline(caller: Caller, cursor: string | undefined, limit = 100) {
      const after = cursor === undefined ? '' : readCursor(cursor, 'id')[0]
      let online = await leases.online({ truth: caller.kind === 'service' })
      if (caller.kind === 'user') {
        const visible = await visibility.visibleTo(
          caller.userId,
          online.map(({ userId }) => userId),
        )
        online = online.filter(({ userId }) => visible.has(userId))
      }
      const rest = online.filter(({ userId }) => userId > (after ?? ''))
      const page = rest.slice(0, limit)
      const last = rest.length > limit ? page.at(-1) : undefined
      return { count: online.length, users: page.map(toPresence), nextCursor: last ? writeCursor(last.userId) : null }
    },

    /** Follows users for a socket, as far as it may know of them; answers how they are. LIMIT_REACHED above 500 held. */
    async watch(caller: Caller, client: Client, userIds: string[]): Promise<PresenceShape[]> {
      const held = watching.get(client) ?? new Set()
      if (new Set([...held, ...userIds]).size > MAX_WATCHED) {
        throw new ChatError('LIMIT_REACHED', { message: `A socket watches at most ${MAX_WATCHED} users.` })
      }
      watching.set(client, held)
      for (const userId of userIds) {
        held.add(userId)
        const clients = watchers.get(userId)
        if (clients) clients.add(client)
        else watchers.set(userId, new Set([client]))
      }
      return get(caller, userIds)
    },

    /** No longer follows users for a socket; answers how those are that it still follows. */
    async unwatch(caller: Caller, client: Client, userIds: string[]): Promise<PresenceShape[]> {
      for (const userId of userIds) forget(client, userId)
      return get(caller, [...(watching.get(client) ?? [])])
    },

    /** Chooses how a user looks; answers how the public sees them now. */
    async setStatus(userId: string, status: ChosenStatus): Promise<PresenceShape> {
      note(await leases.setStatus(userId, status))
      const record = (await leases.get([userId])).get(userId)
      return record ? toPresence(record) : toOffline(userId, (await users.getLastSeen([userId])).get(userId))
    },

    /** Tells what is still to be told, then ends the timers. */
    async stop(): Promise<void> {
      clearInterval(sweeper)
      clearInterval(renewer)
      note(await leases.stop())
      stopped = true
      while (flushing) await flushing
    },
  }

  function forget(client: Client, userId: string): void {
    watching.get(client)?.delete(userId)
    const clients = watchers.get(userId)
    clients?.delete(client)
    if (clients?.size === 0) watchers.delete(userId)
  }
}

function toPresence({ userId, isOnline, status, lastSeenAtMs, version }: PresenceRecord): PresenceShape {
  return {
    userId,
    isOnline,
    status,
    lastSeenAt: lastSeenAtMs === null ? null : toTime(lastSeenAtMs),
    version,
  }
}

function toOffline(userId: string, lastSeen: LastSeen | undefined): PresenceShape {
  const lastSeenAt = lastSeen ? toTime(lastSeen.lastSeenAtMs) : null
  return { userId, isOnline: false, status: 'offline', lastSeenAt, version: lastSeen?.version ?? 0 }
}

function toLastSeen({ userId, lastSeenAtMs, version }: PresenceRecord): LastSeen {
  return { userId, lastSeenAtMs: lastSeenAtMs ?? version, version }
}
