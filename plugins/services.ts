import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { createAsk, createBeforeSend, inTurn } from '../services/before-send/index.js'
import { type Binder, createBinder } from '../services/binder/index.js'
import type { Bus, BusKind } from '../services/bus/index.js'
import { openBus } from '../services/bus/open.js'
import { createCommands } from '../services/commands/index.js'
import type { Database } from '../services/db/index.js'
import { createFace } from '../services/face.js'
import { createFeed, type Feed } from '../services/feed/index.js'
import { createListeners, type HostHooks } from '../services/hooks.js'
import { drain } from '../services/hub/drain.js'
import { createHub, type Hub } from '../services/hub/index.js'
import { createReceipts } from '../services/hub/receipts.js'
import { createTyping } from '../services/hub/typing.js'
import { createAbuse } from '../services/limits/abuse.js'
import { createLimits, type Limits } from '../services/limits/index.js'
import { createShares } from '../services/limits/shares.js'
import { createLog, type Log } from '../services/log/index.js'
import { createNet } from '../services/log/net.js'
import { createRecent } from '../services/log/recent.js'
import { createMetrics, type Metrics } from '../services/metrics.js'
import { createPresence, type Presence } from '../services/presence/index.js'
import { createMemoryLeases } from '../services/presence/memory-leases.js'
import { createPostgresLeases } from '../services/presence/postgres-leases.js'
import { createVisibility } from '../services/presence/visibility.js'
import { createSessions, crowdsOf, type Sessions } from '../services/session/index.js'
import { createBlocks } from '../services/users/blocks.js'
import { createEnds } from '../services/users/ends.js'
import { createUsers, type Users } from '../services/users/index.js'
import { listOf } from './config/lists.js'
import type { Config } from './config/settings.js'
import { spanNodes } from './socket/adapter.js'
import { createTransport } from './socket/transport.js'
import type { ChatServer } from './socket/types.js'
import { openUploads, type SweptUploads } from './uploads.js'

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
  /** A Drizzle database on our schema; `db.run` prepares and runs a statement in SQL. */
  db: Database
  /** The Socket.IO server, typed by the contract. */
  io: ChatServer
  /** The chats in the database: the only writer. What it answers is durable, and members are told. */
  log: Log
  /** What writers and nodes tell each other; `bus.subscribe('changes', …)` hears of whatever was written. */
  bus: Bus
  /** This node's connections: who is connected, in which chats, watching whom. */
  hub: Hub
  /** What delivers the log to this node's sockets. */
  feed: Feed
  /** Who is online. */
  presence: Presence
  /** The handshakes of this node; `sessions.end(userId, 'DISCONNECTED')` cuts a user's sockets. */
  sessions: Sessions
  /** The commands: `binder.run('send_message', caller, payload)` checks, authorizes and runs as both doors do. */
  binder: Binder
  /** What users may still do: `limits.charge(caller, 'reads')` throws when that is too much. */
  limits: Limits
  /** Files of messages. */
  uploads: SweptUploads
  /** Profiles and tombstones. */
  users: Users
  /** What is counted; `metrics.registry` is Prometheus'. */
  metrics: Metrics
}

export type ServicesOptions = Pick<HostHooks, 'onMessage' | 'onChange' | 'authorize' | 'presign'>

const BUSES: Record<BusKind, string> = {
  memory: '✅ one node alone: another on this database would not be heard',
  postgres: '✅ nodes of this database hear each other by PostgreSQL',
  redis: '✅ nodes of this database hear each other by Redis',
}

/** The whole dependency graph. */
async function compose(app: FastifyInstance, options: ServicesOptions): Promise<Chat> {
  const { authorize, onMessage, onChange, presign } = options
  const { config, db, io, inside, door, budgets, seats, log: logger } = app
  const maxMembers = config.PRESENCE_MAX_MEMBERS

  const metrics = createMetrics()
  const bus = await openBus({ kind: config.BUS, db, redisUrl: config.REDIS_URL, logger, metrics })
  // Also where a start fails after this.
  app.addHook('onClose', bus.stop)
  logger.info({ bus: config.BUS }, BUSES[config.BUS])
  spanNodes({ io, bus })
  const transport = createTransport({ io, inside, maxBytes: config.MAX_SOCKET_BUFFER_BYTES, metrics })
  const hub = createHub({ transport, logger, metrics })
  const abuse = createAbuse({ bus })
  const shares = createShares({ bus, budgets })
  const limits = createLimits({ budgets, abuse, load: door })
  const users = createUsers(db)
  const log = createLog({
    db,
    bus,
    maxChatsPerUser: config.MAX_CHATS_PER_USER,
    hasSearch: config.SEARCH,
    logger,
    metrics,
  })
  const blocks = createBlocks({ db, bus, hub, logger })
  const hasNet = config.BUS !== 'memory' && !db.embedded
  const net = hasNet ? createNet({ look: createRecent(db), bus, logger, metrics }) : undefined
  app.addHook('onClose', async () => net?.stop())
  const ends = net && createEnds({ db, bus, logger })
  const feed = createFeed({ log, hub, bus, ...(net && { net }), logger, metrics })
  const { memberCount } = feed
  const small = { bus, hub, clientsApart: blocks.clientsApart, memberCount, maxMembers }
  const typing = createTyping({ ...small, mustBeAllowed: log.mustBeAllowedToWrite })
  const receipts = createReceipts(small)
  const visibility = createVisibility(db)
  const keeping = { leaseMs: config.PRESENCE_LEASE_MS, connections: hub.clients }
  const leases =
    config.BUS === 'memory'
      ? createMemoryLeases({ ...keeping, visibleTo: visibility.visibleTo })
      : createPostgresLeases({ ...keeping, db, maxConnections: config.MAX_SOCKETS_PER_USER, onCrowded: crowdsOf(bus) })
  const presence = createPresence({
    leases,
    visibility,
    blocks,
    users,
    bus,
    hub,
    logger,
    graceMs: config.PRESENCE_GRACE_MS,
    leaseMs: config.PRESENCE_LEASE_MS,
    maxMembers,
    metrics,
  })
  const { identify } = app.auth
  const sessions = createSessions({
    identify,
    limits,
    log,
    users,
    hub,
    bus,
    ...(net && { net }),
    feed,
    presence,
    blocks,
    logger,
    maxSocketsPerUser: config.MAX_SOCKETS_PER_USER,
  })
  const uploads = await openUploads(app, bus, presign)
  const handlers = createCommands({
    log,
    uploads,
    users,
    presence,
    sessions,
    typing,
    receipts,
    logger,
    maxMessageChars: config.MAX_MESSAGE_CHARS,
  })
  const asking = config.BEFORE_SEND_URL
    ? createAsk({
        url: config.BEFORE_SEND_URL,
        secrets: listOf(config.BEFORE_SEND_SECRET),
        timeoutMs: config.BEFORE_SEND_TIMEOUT_MS,
      })
    : undefined
  const beforeSend =
    asking &&
    createBeforeSend({
      ask: asking.ask,
      log,
      onFailure: config.BEFORE_SEND_FAIL,
      maxMessageChars: config.MAX_MESSAGE_CHARS,
      logger,
      metrics,
    })
  const binder = createBinder({
    handlers,
    logger,
    metrics,
    authorize: inTurn(authorize, beforeSend),
    limits,
    seats,
    chatCreation: config.CHAT_CREATION,
  })
  const listeners = createListeners({ onMessage, onChange, bus, log, logger })

  metrics.gauge('chat_connections', 'Engine connections.', () => io.engine.clientsCount)
  metrics.gauge('chat_bus_ok', 'Whether the bus reaches the other nodes.', () => Number(bus.health().ok), 'min')
  metrics.gauge('chat_users', 'Users with a socket here.', hub.countUsers)
  metrics.gauge('chat_served_chats', 'Chats with a socket here.', feed.size)
  metrics.gauge('chat_send_queue', 'Sends that wait for a commit.', log.queued)
  metrics.gauge('chat_db_waiting', 'Statements that wait for their turn.', db.waiting)
  metrics.gauge('chat_db_pool_busy', 'Database connections in use.', () => db.pool.totalCount - db.pool.idleCount)
  metrics.gauge('chat_db_pool_waiting', 'Queries that wait for a database connection.', () => db.pool.waitingCount)
  const rooms = { hub, feed, typing, receipts, blocks, sessions, presence, leases, binder, ...(ends && { ends }) }
  for (const [room, { sizes }] of Object.entries(rooms)) metrics.sizes(room, sizes)
  metrics.sizes('limits', () => ({ budgets: budgets.size(), abuse: abuse.size(), seats: seats.size() }))
  door.onClosing(async () => {
    sessions.drain()
    await drain(hub, config.DRAIN_MS)
    await binder.drain()
  })
  door.onClosed(async () => {
    hub.stop()
    typing.stop()
    receipts.stop()
    blocks.stop()
    net?.stop()
    await sessions.stop()
    await ends?.stop()
    feed.stop()
    await presence.stop()
    await listeners.stop()
    abuse.stop()
    shares.stop()
    asking?.stop()
    await uploads.stop()
    await log.stop()
    await bus.stop()
  })

  const face = createFace({ log, hub, feed, users, presence, sessions, binder })
  const shown = { hub, log, feed, presence, sessions, binder, limits, uploads, users, metrics }
  return { config, db, io, bus, ...shown, ...face }
}

const services: FastifyPluginAsync<ServicesOptions> = async (app, options) => {
  app.decorate('chat', await compose(app, options))
}

export default fp(services, {
  name: 'chat-services',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-db', 'chat-auth', 'chat-limits', 'chat-io'],
})
