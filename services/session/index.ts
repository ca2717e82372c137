import type { ClosingCode } from '../../contract/closings.js'
import { ChatError } from '../../contract/errors.js'
import type { EventPayload } from '../../contract/events.js'
import type { MyChat } from '../../contract/shapes.js'
import { createBatcher } from '../batcher.js'
import type { Bus, End } from '../bus/index.js'
import type { Feed } from '../feed/index.js'
import type { Hub } from '../hub/index.js'
import type { OwnSettings } from '../hub/own-settings.js'
import type { Client } from '../hub/ports.js'
import type { Receipts } from '../hub/receipts.js'
import type { Limits } from '../limits/index.js'
import type { Log } from '../log/index.js'
import type { Net } from '../log/net.js'
import { totalOf } from '../log/unread.js'
import type { Logger } from '../logger.js'
import type { Presence } from '../presence/index.js'
import { toTime } from '../time.js'
import type { Blocks } from '../users/blocks.js'
import type { Users } from '../users/index.js'
import { createArrivals } from './arrivals.js'
import { createArrive } from './arrive.js'
import { createExpiry } from './expiry.js'
import { createFinder } from './found.js'
import type { Identity } from './identify.js'
import type { Session } from './session.js'
import { createVerify } from './verify.js'

export interface SessionsOptions {
  identify(token: unknown): Promise<Identity>
  limits: Pick<Limits, 'connect'>
  log: Pick<Log, 'getChatsOf' | 'getChatIdsOf'>
  users: Pick<Users, 'getAccounts'>
  hub: Pick<Hub, 'add' | 'remove' | 'clientsOf' | 'countOf' | 'tell' | 'end' | 'isIn'>
  bus: Pick<Bus, 'publish' | 'subscribe' | 'onGap'>
  /** What lies under the bus, where there are other nodes. */
  net?: Pick<Net, 'onFound' | 'onGap'>
  feed: Pick<Feed, 'attach' | 'admit'>
  presence: Pick<Presence, 'connect' | 'disconnect'>
  blocks: Pick<Blocks, 'hold' | 'release' | 'blockedBy'>
  ownSettings: Pick<OwnSettings, 'retellSince'>
  receipts?: Pick<Receipts, 'retell'>
  logger: Logger
  maxSocketsPerUser: number
}

export type { Identity } from './identify.js'
export type { Session } from './session.js'
export type Sessions = ReturnType<typeof createSessions>

/** One for all: a node has many sessions, and most of them are in. */
const IN = { is: 'in' } as const
/** When one whose place was taken may come back: at once it would take the next one's. */
const OUSTED_MS = 30_000

/** The handshake, whole: token → user → limits → chats, then in, and out again; see this folder's README for the law. */
export function createSessions(options: SessionsOptions) {
  const { identify, limits, log, hub, bus, net, feed, presence, blocks, ownSettings, logger, maxSocketsPerUser } =
    options
  const arrivals = createArrivals()
  const inside = new Map<Client, Session>()
  const leaving = new Set<Promise<void>>()
  let isDraining = false

  const expiry = createExpiry({
    onWarning({ client }, expiresAtMs) {
      if (client) hub.tell(client, 'token_expiring', { expiresAt: toTime(expiresAtMs) })
    },
    onEnd: (session) => endSession(session, 'TOKEN_EXPIRED'),
  })
  const all = () => [...arrivals.all(), ...inside.values()]
  const { verify, verifyUsers, ...verifying } = createVerify({ ...options, sessions: all, end: endSession })
  const subscriptions = [
    bus.subscribe('changes', arrivals.hear),
    (net ?? bus).onGap(verify),
    bus.subscribe('ends', endUser),
    net?.onFound(createFinder({ note: arrivals.note, endUser, verifyUsers })),
  ]

  /** Ends the sessions that a user had when that was told, wherever they stand, or those of some connections. */
  function endUser(end: End): void {
    arrivals.noteEnd(end)
    const here = hub.clientsOf(end.userId).flatMap((client) => inside.get(client) ?? [])
    const meant = [...arrivals.of(end.userId), ...here].filter((session) => isMeant(session, end))
    for (const session of meant) endSession(session, end.code, end.reconnectInMs)
  }

  /** Ends a session wherever it stands; one that is in learns why, and is gone when its connection is. */
  function endSession(session: Session, code: ClosingCode, reconnectInMs?: number): void {
    const { state, client } = session
    if (state.is === 'in' && client) {
      session.state = { is: 'ending', code }
      hub.end(client, code, reconnectInMs)
    } else if (state.is === 'ready' || state.is === 'arriving') {
      leave(session)
      if (state.is === 'ready') state.turnAway()
    }
  }

  /** The oldest go when one more would be too many. */
  function makeRoom(userId: string): void {
    const clients = hub.clientsOf(userId)
    const crowd = clients.slice(0, Math.max(0, clients.length - maxSocketsPerUser))
    for (const session of crowd.flatMap((client) => inside.get(client) ?? []))
      endSession(session, 'TOO_MANY_SOCKETS', OUSTED_MS)
  }

  /** A connection is gone, however far it had come. After a logout its user has no grace, nor has who `wasSilent` for longer than one. */
  function leave(session: Session, wasSilent = false): void {
    const { state, client } = session
    session.state = { is: 'gone' }
    arrivals.delete(session)
    blocks.release(session.userId, session)
    if (!client || !inside.delete(client)) return
    hub.remove(client)
    expiry.forget(session)
    const atOnce = wasSilent || (state.is === 'ending' && state.code === 'LOGGED_OUT')
    const left = presence.disconnect(client, atOnce).catch((error) => {
      logger.warn({ err: error, userId: session.userId }, 'presence missed a disconnection')
    })
    leaving.add(left)
    void left.then(() => leaving.delete(left))
  }

  return {
    /** Lets somebody arrive, then `enter`, or `leave` when the connection went; `turnAway` ends one that is ready and may not come in after all. */
    arrive: createArrive({
      identify,
      mayConnect: limits.connect,
      loadBlocks: (session) => blocks.hold(session.userId, session),
      loadChats: createBatcher((userIds) => log.getChatsOf(userIds)),
      expect: arrivals.add,
      leave,
      isDraining: () => isDraining,
      wasEnded: arrivals.wasEnded,
    }),

    /** Lets a session that is ready in, at once: `session` is the first that it is told, then the chats' changes from there on. */
    enter(session: Session, client: Client): void {
      const { state, userId } = session
      if (state.is !== 'ready') return
      arrivals.delete(session)
      session.state = IN
      session.client = client
      inside.set(client, session)
      hub.add(client)
      hub.tell(client, 'session', toEvent(session, state.chats, blocks.blockedBy(userId)))
      for (const chat of state.chats) feed.attach(client, chat.chatId, chat.revision, chat.memberCount)
      for (const chatId of state.missed) void feed.admit(chatId, [userId])
      ownSettings.retellSince(userId, session.sinceMs)
      options.receipts?.retell(client, session.sinceMs, state.chats)
      expiry.watch(session)
      presence.connect(client).catch((error) => logger.warn({ err: error, userId }, 'presence missed a connection'))
      makeRoom(userId)
    },

    leave,

    /** A client goes on with a new token of the same user; answers when that ends, in milliseconds, or null. */
    async renew(client: Client, token: string): Promise<number | null> {
      const identity = sameUser(await identify(token), client.userId)
      const session = inside.get(client)
      if (session) {
        session.expiresAtMs = identity.expiresAtMs
        session.issuedAtMs = identity.issuedAtMs
        expiry.watch(session)
      }
      return identity.expiresAtMs
    },

    /** Ends one client at its user's wish, when the answer to that is on its way. */
    logout(client: Client): void {
      const session = inside.get(client)
      if (session?.state.is !== 'in') return
      session.state = { is: 'ending', code: 'LOGGED_OUT' }
      setImmediate(() => hub.end(client, 'LOGGED_OUT'))
    },

    /** Ends all sockets of a user, wherever they are; answers how many are here. */
    end(userId: string, code: ClosingCode): number {
      const count = hub.countOf(userId)
      bus.publish('ends', { userId, code })
      return count
    },

    /** Compares the users of this node with the database, soon: ends whose tokens are revoked or who are deleted, brings them into chats that they came into. */
    verify,

    /** How much is kept. */
    sizes: () => ({ ...arrivals.sizes(), inside: inside.size, leaving: leaving.size, due: expiry.size() }),

    /** Nobody arrives any more. */
    drain(): void {
      isDraining = true
    },

    /** Settles when every session that is gone has left nothing to do. */
    async stop(): Promise<void> {
      expiry.stop()
      for (const unsubscribe of subscriptions) unsubscribe?.()
      await verifying.stop()
      await Promise.all(leaving)
    },
  }
}

/** Whether a session was there when an end was told, and is one of the connections that are named, if any are. */
function isMeant({ sinceMs, client }: Session, { ageMs = 0, connectionIds }: End): boolean {
  return sinceMs <= performance.now() - ageMs && (connectionIds?.includes(client?.id ?? '') ?? true)
}

/** Tells all nodes which connections of a user are too many. */
export function crowdsOf(bus: Pick<Bus, 'publish'>) {
  return (userId: string, connectionIds: string[]): void =>
    bus.publish('ends', { userId, code: 'TOO_MANY_SOCKETS', reconnectInMs: OUSTED_MS, connectionIds })
}

/** The identity of a user, by another token of theirs. */
function sameUser(identity: Identity, userId: string) {
  if (identity.kind === 'user' && identity.user.userId === userId) return identity
  throw new ChatError('UNAUTHENTICATED', { message: 'The token is of somebody else.' })
}

/** The first that a session is told. */
function toEvent({ user, expiresAtMs }: Session, chats: MyChat[], blockedUserIds: string[]): EventPayload<'session'> {
  const expiresAt = expiresAtMs === null ? null : toTime(expiresAtMs)
  const now = Date.now()
  return { user, expiresAt, chats, unread: totalOf(chats, now), blockedUserIds, serverTime: toTime(now) }
}
