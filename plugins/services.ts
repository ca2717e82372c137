import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { inTurn } from '../services/before-send/index.js'
import { createBinder } from '../services/binder/index.js'
import { openBus } from '../services/bus/open.js'
import { createCommands } from '../services/commands/index.js'
import { createDevices } from '../services/devices/index.js'
import { createFace } from '../services/face.js'
import { createFeed, type Feed } from '../services/feed/index.js'
import { createListeners, type HostHooks } from '../services/hooks.js'
import { drain } from '../services/hub/drain.js'
import { createHub } from '../services/hub/index.js'
import { createOwnSettings } from '../services/hub/own-settings.js'
import { createReceipts } from '../services/hub/receipts.js'
import { createTyping } from '../services/hub/typing.js'
import { createAbuse } from '../services/limits/abuse.js'
import { createLimits } from '../services/limits/index.js'
import { createShares } from '../services/limits/shares.js'
import { tellHostLimits } from '../services/log/host-limits.js'
import { createLog } from '../services/log/index.js'
import { createNet } from '../services/log/net.js'
import { createRecent } from '../services/log/recent.js'
import { createMetrics } from '../services/metrics.js'
import { readVersion } from '../services/package-root.js'
import { createPresence } from '../services/presence/index.js'
import { createMemoryLeases } from '../services/presence/memory-leases.js'
import { createPostgresLeases } from '../services/presence/postgres-leases.js'
import { createProfiles } from '../services/presence/profiles.js'
import { createVisibility } from '../services/presence/visibility.js'
import { createSessions, crowdsOf } from '../services/session/index.js'
import { createTracing } from '../services/tracing.js'
import { createBlocks } from '../services/users/blocks.js'
import { createEnds } from '../services/users/ends.js'
import { createUsers } from '../services/users/index.js'
import { openBeforeSend } from './before-send.js'
import type { Chat } from './chat.js'
import { createGauges } from './gauges.js'
import { openNotices } from './notices.js'
import { openOutbox } from './outbox.js'
import { spanNodes } from './socket/adapter.js'
import { createTransport } from './socket/transport.js'
import { openUploads } from './uploads.js'

export type { Chat } from './chat.js'

export type ServicesOptions = Pick<HostHooks, 'onMessage' | 'onChange' | 'onUnread' | 'authorize' | 'presign'>

/** The whole dependency graph. */
async function compose(app: FastifyInstance, hooks: ServicesOptions): Promise<Chat> {
  const { config, db, io, inside, door, budgets, seats, log: logger } = app
  const maxMembers = config.PRESENCE_MAX_MEMBERS

  const version = readVersion()
  const metrics = createMetrics({ version, commit: config.BUILD_COMMIT })
  const tracing = createTracing(version)
  const bus = await openBus({ kind: config.BUS, db, redisUrl: config.REDIS_URL, logger, metrics })
  // Also where a start fails after this.
  app.addHook('onClose', bus.stop)
  spanNodes({ io, bus })
  const transport = createTransport({ io, inside, maxBytes: config.MAX_SOCKET_BUFFER_BYTES, metrics })
  const hub = createHub({ transport, logger, metrics, tracing })
  const abuse = createAbuse({ bus })
  const shares = createShares({ bus, budgets })
  const limits = createLimits({ budgets, abuse, load: door })
  const users = createUsers(db, bus)
  const common = { db, bus, hub, users, logger, metrics }
  const log = createLog({
    ...common,
    tracing,
    maxChatsPerUser: config.MAX_CHATS_PER_USER,
    maxMembers,
    keep: { messageDays: config.RETENTION_DAYS, lineDays: config.LOG_DAYS },
    hasSearch: config.SEARCH,
  })
  await tellHostLimits(db, { maxMessageChars: config.MAX_MESSAGE_CHARS })
  const blocks = createBlocks({ db, bus, hub, logger })
  const hasNet = config.BUS !== 'memory' && !db.embedded
  const net = hasNet ? createNet({ look: createRecent(db), bus, logger, metrics }) : undefined
  app.addHook('onClose', async () => net?.stop())
  const ends = net && createEnds({ db, bus, logger })
  const memberCount = (chatId: string) => feed.memberCount(chatId)
  const small = { bus, hub, clientsApart: blocks.clientsApart, memberCount, maxMembers }
  const receipts = createReceipts({ ...small, comingTo: (chatId) => feed.comingTo(chatId) })
  const ownSettings = createOwnSettings({ bus, hub, read: log.getSettings, logger })
  const feed: Feed = createFeed({ log, hub, bus, ...(net && { net }), receipts, ownSettings, logger, metrics })
  const typing = createTyping({ ...small, mustBeAllowed: log.mustBeAllowedToWrite })
  const visibility = createVisibility(db)
  const keeping = { leaseMs: config.PRESENCE_LEASE_MS, connections: hub.clients }
  const leases =
    config.BUS === 'memory'
      ? createMemoryLeases({ ...keeping, visibleTo: visibility.visibleTo })
      : createPostgresLeases({ ...keeping, db, maxConnections: config.MAX_SOCKETS_PER_USER, onCrowded: crowdsOf(bus) })
  const seen = { ...common, visibility, blocks, maxMembers }
  const presence = createPresence({
    ...seen,
    leases,
    graceMs: config.PRESENCE_GRACE_MS,
    leaseMs: config.PRESENCE_LEASE_MS,
  })
  const profiles = createProfiles({ ...seen, memberCount })
  const sessions = createSessions({
    ...common,
    identify: app.auth.identify,
    limits,
    log,
    ...(net && { net }),
    feed,
    presence,
    blocks,
    ownSettings,
    receipts,
    maxSocketsPerUser: config.MAX_SOCKETS_PER_USER,
  })
  const uploads = await openUploads(app, bus, hooks.presign)
  const devices = createDevices(db, config)
  const handlers = createCommands({
    log,
    devices,
    uploads,
    users,
    presence,
    sessions,
    typing,
    receipts,
    logger,
    maxMessageChars: config.MAX_MESSAGE_CHARS,
  })
  const { beforeSend, stop: stopAsking } = openBeforeSend({ config, log, logger, metrics })
  const binder = createBinder({
    handlers,
    logger,
    metrics,
    tracing,
    authorize: inTurn(hooks.authorize, beforeSend),
    limits,
    seats,
    chatCreation: config.CHAT_CREATION,
  })
  const outbox = openOutbox({ config, db, log, bus, net, logger, metrics })
  const listeners = createListeners({ ...hooks, bus, log, logger })
  const notices = openNotices({ ...common, config, leases, log, outbox, onUnread: hooks.onUnread })

  const rooms = {
    hub,
    feed,
    typing,
    receipts,
    blocks,
    sessions,
    presence,
    profiles,
    leases,
    binder,
    outbox,
    ...(ends && { ends }),
  }
  createGauges(app, { bus, hub, log, feed, abuse, metrics, rooms })
  door.onStood(() => {
    for (const client of [...hub.clients()]) hub.end(client, 'OVERLOADED')
  })
  door.onClosing(async () => {
    sessions.drain()
    await drain(hub, config.DRAIN_MS)
    await binder.drain()
  })
  door.onClosed(async () => {
    hub.stop()
    typing.stop()
    receipts.stop()
    ownSettings.stop()
    blocks.stop()
    net?.stop()
    await sessions.stop()
    await Promise.all([ends?.stop(), notices.stop()])
    feed.stop()
    await Promise.all([presence.stop(), profiles.stop()])
    await listeners.stop()
    abuse.stop()
    shares.stop()
    stopAsking?.()
    await uploads.stop()
    await outbox.stop()
    await log.stop()
    await bus.stop()
  })

  const face = createFace({ log, hub, feed, users, presence, sessions, binder })
  const shown = { hub, log, feed, presence, sessions, binder, limits }
  const beside = { uploads, outbox, users, notices, devices, metrics, tracing }
  return { config, db, io, bus, ...shown, ...beside, ...face }
}

const services: FastifyPluginAsync<ServicesOptions> = async (app, options) => {
  const chat = await compose(app, options)
  chat.log.start()
  await chat.outbox.start()
  app.addHook('onReady', async () => chat.notices.start())
  app.decorate('chat', chat)
}

export default fp(services, {
  name: 'chat-services',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-db', 'chat-auth', 'chat-limits', 'chat-io'],
})
