import type { MyChat, User } from '../../contract/shapes.js'
import { createBatcher } from '../batcher.js'
import type { Feed } from '../feed/index.js'
import type { Client, Roster } from '../feed/ports.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Presence } from '../presence/index.js'
import { toTime } from '../time.js'
import type { UserCaller } from './callers.js'
import { createExpiry } from './expiry.js'

/** Somebody whose socket is being let in: what was read of them, and what happened to them since. */
export interface Arrival {
  user: User
  expiresAtMs: number | null
  chats: MyChat[]
  missed: Set<string>
  /** The user's sockets were ended while this one was on the way in. */
  isCut?: true
}

/** A socket that is in: a caller with a client, as the binder takes it. */
export interface Connection extends UserCaller {
  client: Client
  warnedOfMs?: number
  loggedOut?: true
}

/** The users and sockets of this node, in both directions. */
export function createRoster() {
  const connections = new Map<string, Set<Connection>>()
  const arrivals = new Map<string, Set<Arrival>>()

  return {
    *clientsOf(userId: string): Iterable<Client> {
      for (const connection of [...(connections.get(userId) ?? [])]) yield connection.client
    },
    noteChat(userId: string, chatId: string): void {
      for (const arrival of arrivals.get(userId) ?? []) arrival.missed.add(chatId)
    },
    *all(): Iterable<Connection> {
      for (const ofUser of connections.values()) yield* ofUser
    },
    countUsers: (): number => connections.size,
    /** Sockets of a user that are in, or on the way in. */
    countOf: (userId: string): number => (connections.get(userId)?.size ?? 0) + (arrivals.get(userId)?.size ?? 0),
    arrivalsOf: (userId: string): Iterable<Arrival> => arrivals.get(userId) ?? [],
    expect: (arrival: Arrival) => put(arrivals, arrival.user.userId, arrival),
    arrived: (arrival: Arrival) => take(arrivals, arrival.user.userId, arrival),
    add: (connection: Connection) => put(connections, connection.userId, connection),
    remove: (connection: Connection) => take(connections, connection.userId, connection),
  } satisfies Roster & Record<string, unknown>
}

function put<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  if (set) set.add(value)
  else sets.set(key, new Set([value]))
}

function take<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}

export interface SessionsOptions {
  log: Pick<Log, 'getChatsOf'>
  feed: Pick<Feed, 'attach' | 'admit'>
  presence: Pick<Presence, 'connect' | 'disconnect'>
  roster: ReturnType<typeof createRoster>
  logger: Logger
}

export type Sessions = ReturnType<typeof createSessions>

/** Lets sockets in and out; see this folder's README for the law. */
export function createSessions({ log, feed, presence, roster, logger }: SessionsOptions) {
  const loadChats = createBatcher((userIds) => log.getChatsOf(userIds))
  const expiry = createExpiry()
  const leaving = new Set<Promise<void>>()

  return {
    /** Reads the chats of somebody whose token is good; what happens to their memberships meanwhile is kept. Ends with `abandon` or `connect`. */
    async arrive(user: User, expiresAtMs: number | null): Promise<Arrival> {
      const arrival: Arrival = { user, expiresAtMs, chats: [], missed: new Set() }
      roster.expect(arrival)
      try {
        arrival.chats = (await loadChats(user.userId)) ?? []
      } catch (error) {
        roster.arrived(arrival)
        throw error
      }
      return arrival
    },

    /** The socket of an arrival went before it was in. */
    abandon: roster.arrived,

    /** Lets a socket in, at once: `session` is the first that it gets, then the chats' changes from there on. */
    connect(client: Client, arrival: Arrival): Connection {
      const { user, expiresAtMs, chats, missed } = arrival
      const connection: Connection = { kind: 'user', userId: user.userId, user, client, expiresAtMs }
      roster.arrived(arrival)
      roster.add(connection)
      client.emit('session', {
        user,
        expiresAt: expiresAtMs === null ? null : toTime(expiresAtMs),
        chats,
        serverTime: toTime(Date.now()),
      })
      for (const chat of chats) feed.attach(client, chat.chatId, chat.revision, chat.memberCount)
      for (const chatId of missed) void feed.admit(chatId, [user.userId])
      expiry.watch(connection)
      presence
        .connect(client)
        .catch((error) => logger.warn({ err: error, userId: user.userId }, 'presence missed a connection'))
      // What the arrival read is told and done with.
      arrival.chats = []
      return connection
    },

    /** A socket is gone; after a logout without grace. */
    disconnect(connection: Connection): void {
      roster.remove(connection)
      expiry.forget(connection)
      const left = presence.disconnect(connection.client, connection.loggedOut).catch((error) => {
        logger.warn({ err: error, userId: connection.userId }, 'presence missed a disconnection')
      })
      leaving.add(left)
      void left.then(() => leaving.delete(left))
    },

    /** A socket goes on with a token that ends at another time. */
    renew(connection: Connection, expiresAtMs: number | null): void {
      expiry.forget(connection)
      connection.expiresAtMs = expiresAtMs
      expiry.watch(connection)
    },

    /** Ends all sockets of a user for good; answers how many. */
    end(userId: string): number {
      const clients = [...roster.clientsOf(userId)]
      for (const client of clients) client.end()
      for (const arrival of roster.arrivalsOf(userId)) arrival.isCut = true
      return clients.length
    },

    /** Settles when every socket that is gone has left nothing to do. */
    async stop(): Promise<void> {
      expiry.stop()
      await Promise.all(leaving)
    },
  }
}
