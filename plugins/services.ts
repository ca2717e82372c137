import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { type Binder, createBinder } from '../services/binder/index.js'
import { createCommands } from '../services/commands/index.js'
import type { Database } from '../services/db/index.js'
import { createFace } from '../services/face.js'
import { createFeed, type Feed } from '../services/feed/index.js'
import { createReceipts } from '../services/feed/receipts.js'
import { createTyping } from '../services/feed/typing.js'
import { createHooks, type HostHooks } from '../services/hooks.js'
import { createLog, type Log } from '../services/log/index.js'
import { createMetrics, type Metrics } from '../services/metrics.js'
import { createPresence, type Presence } from '../services/presence/index.js'
import { createMemoryLeases } from '../services/presence/memory-leases.js'
import { createVisibility } from '../services/presence/visibility.js'
import { createRoster, createSessions, type Sessions } from '../services/session/index.js'
import { createUsers, type Users } from '../services/users/index.js'
import type { Config } from './config/settings.js'
import { createBackpressure } from './socket/backpressure.js'
import { createRooms } from './socket/rooms.js'
import type { ChatServer } from './socket/types.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The chat service: its settings, its database and its services. */
    chat: Chat
  }
}

/** What a host has of the service, as `app.chat`. With the services come the names of the original design: chatService, messageService, userService, socketManager. */
export interface Chat extends ReturnType<typeof createFace> {
  /** The settings, checked and filled in. */
  config: Config
  /** The pool on our schema; `db.run` names, prepares and runs a statement. */
  db: Database
  /** The Socket.IO server, typed by the contract. */
  io: ChatServer
  /** The chats in the database: the only writer. What it answers is durable, and members are told. */
  log: Log
  /** What delivers the log to this node's sockets. */
  feed: Feed
  /** Who is online. */
  presence: Presence
  /** Who is connected to this node; `sessions.end(userId)` cuts a user's sockets. */
  sessions: Sessions
  /** The commands: `binder.run('send_message', caller, payload)` checks, authorizes and runs as both doors do. */
  binder: Binder
  /** Profiles and tombstones. */
  users: Users
  /** The connections of this node, by user. */
  roster: ReturnType<typeof createRoster>
  /** What is counted; `metrics.registry` is Prometheus'. */
  metrics: Metrics
}

export type ServicesOptions = Pick<HostHooks, 'onMessage' | 'authorize'>

/** The whole dependency graph. */
function compose(app: FastifyInstance, options: ServicesOptions): Chat {
  const { config, db, io, door, log: logger } = app
  const maxMembers = config.PRESENCE_MAX_MEMBERS

  const metrics = createMetrics()
  const backpressure = createBackpressure(io, config.MAX_SOCKET_BUFFER_BYTES, logger, metrics)
  const rooms = createRooms(io, backpressure, config.MAX_SOCKET_BUFFER_BYTES)
  const roster = createRoster()
  const users = createUsers(db)
  const log = createLog({ db, maxChatsPerUser: config.MAX_CHATS_PER_USER, hasSearch: config.SEARCH, logger, metrics })
  const feed = createFeed({ log, rooms, roster, logger, metrics })
  const typing = createTyping({ feed, roster, maxMembers })
  const receipts = createReceipts({ feed, roster, maxMembers })
  const presence = createPresence({
    leases: createMemoryLeases({ leaseMs: config.PRESENCE_LEASE_MS }),
    visibility: createVisibility(db),
    users,
    rooms,
    logger,
    graceMs: config.PRESENCE_GRACE_MS,
    leaseMs: config.PRESENCE_LEASE_MS,
    maxMembers,
    metrics,
  })
  const sessions = createSessions({ log, feed, presence, roster, logger })
  const handlers = createCommands({
    log,
    users,
    presence,
    sessions,
    tokens: app.auth,
    typing,
    receipts,
    logger,
    maxMessageChars: config.MAX_MESSAGE_CHARS,
  })
  const hooks = createHooks(options, logger)
  const binder = createBinder({
    handlers: hooks.observe(handlers),
    logger,
    metrics,
    authorize: hooks.authorize,
    chatCreation: config.CHAT_CREATION,
  })

  log.tell(feed)
  metrics.gauge('chat_connections', 'Engine connections.', () => io.engine.clientsCount)
  metrics.gauge('chat_users', 'Users with a socket here.', roster.countUsers)
  metrics.gauge('chat_served_chats', 'Chats with a socket here.', feed.size)
  metrics.gauge('chat_send_queue', 'Sends that wait for a commit.', log.queued)
  metrics.gauge('chat_db_pool_busy', 'Database connections in use.', () => db.pool.totalCount - db.pool.idleCount)
  metrics.gauge('chat_db_pool_waiting', 'Queries that wait for a database connection.', () => db.pool.waitingCount)
  door.onClosing(() => binder.drain())
  door.onClosed(async () => {
    backpressure.stop()
    typing.stop()
    receipts.stop()
    await sessions.stop()
    feed.stop()
    await presence.stop()
    await hooks.stop()
    await log.stop()
  })

  const face = createFace({ log, feed, users, presence, sessions, binder })
  return { config, db, io, log, feed, presence, sessions, binder, users, roster, metrics, ...face }
}

const services: FastifyPluginAsync<ServicesOptions> = async (app, options) => {
  app.decorate('chat', compose(app, options))
}

export default fp(services, {
  name: 'chat-services',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-db', 'chat-auth', 'chat-io'],
})
