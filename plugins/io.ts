import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ServerOptions } from 'socket.io'
import { WebSocketServer, type ServerOptions as WebSocketServerOptions } from 'ws'
import fastifySocketIO from '#fastify-socket.io'
import { MAX_PAYLOAD_BYTES } from '../contract/limits.js'
import { drainLimitMs } from '../services/hub/drain.js'
import { createAddressOf, readTrust } from './addresses.js'
import { ConfigError } from './config/index.js'
import { createOrigins } from './origins.js'
import { type Admission, createAdmission } from './socket/admission.js'
import * as parser from './socket/decoder.js'
import { createDoor, type Door } from './socket/door.js'
import { createInside, type Inside } from './socket/inside.js'
import { createJunk, type Junk } from './socket/junk.js'
import { asksFor, createBodyGuard, refuseScripts } from './socket/polling.js'
import { warnOfSecondServer } from './socket/second-server.js'
import { createStrangers } from './socket/strangers.js'
import type { ChatServer, ChatSocket } from './socket/types.js'

declare module 'fastify' {
  interface FastifyInstance {
    io: ChatServer
    door: Door
    admission: Admission
    junk: Junk
    /** What reaches behind Socket.IO. */
    inside: Inside
  }
}

const PING_INTERVAL_MS = 15_000
const PING_TIMEOUT_MS = 10_000
/** Who has joined nothing by then is closed, and with the look that follows is gone: within 10 s. */
const CONNECT_TIMEOUT_MS = 7_000

/**
 * Takes one message of each connection in a turn of the event loop, where ws would take all that have come, which can be tens of thousands:
 * whoever sends many waits for everybody else, and not they for it.
 */
class FairWebSocketServer extends WebSocketServer {
  constructor(options: WebSocketServerOptions) {
    super({ ...options, allowSynchronousEvents: false })
  }
}

/** The paths that Socket.IO servers of ours have on an HTTP server. */
const taken = new WeakMap<object, Set<string>>()

/** Two Socket.IO servers on one path would both answer an upgrade, which ends the process. A host's bare one is looked for when all are there. */
function takePath(app: FastifyInstance, path: string): void {
  const others = taken.get(app.server) ?? new Set()
  const host = (app as Partial<FastifyInstance>).io as { path?: () => unknown } | undefined
  if (others.has(path) || (typeof host?.path === 'function' && host.path() === path)) {
    throw new ConfigError([`SOCKET_PATH ${path} has a Socket.IO server already: choose another`])
  }
  taken.set(app.server, others.add(path))
  app.addHook('onListen', async () =>
    warnOfSecondServer(app.server, others.size + Number(Boolean(host)), path, app.log),
  )
}

async function io(app: FastifyInstance): Promise<void> {
  const { config } = app
  takePath(app, config.SOCKET_PATH)
  const origins = createOrigins(config)
  const options: Partial<ServerOptions> = {
    path: config.SOCKET_PATH,
    serveClient: config.WEB,
    // CORS headers say which browsers may poll; only allowRequest also guards WebSocket upgrades.
    cors: { origin: (origin, answer) => answer(null, origin !== undefined && origins.isListed(origin)) },
    allowRequest: (request, answer) => {
      const refusal = origins.isAllowed(request)
        ? (app.door.refusal() ?? app.admission.refusal(request))
        : 'origin not allowed'
      answer(refusal, refusal === null)
    },
    maxHttpBufferSize: MAX_PAYLOAD_BYTES,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    parser,
    wsEngine: FairWebSocketServer,
    perMessageDeflate: false,
  }
  await app.register(fastifySocketIO, {
    ...options,
    preClose: (done) => {
      app.door.close().then(() => done(), done)
    },
  })
  app.io.engine.use(refuseScripts)
  // allowRequest sees handshakes alone: who has a sid could upgrade, or poll, from anywhere.
  app.io.engine.use((request: IncomingMessage, _response: unknown, next: (error?: Error) => void) => {
    next(asksFor(request, 'sid') && !origins.isAllowed(request) ? new Error('origin not allowed') : undefined)
  })
  app.io.engine.use(createBodyGuard(MAX_PAYLOAD_BYTES))
  const inside = createInside(app.io)
  app.decorate('inside', inside)
  const trust = readTrust(config.TRUST_PROXY) || false
  const addressOf = createAddressOf(trust)
  app.decorate(
    'admission',
    createAdmission({
      io: app.io,
      addressOf,
      mayConnect: (address) => app.budgets.take('address_connects', address) === 0,
      maxSockets: config.MAX_SOCKETS_PER_ADDRESS,
      trustsProxies: trust !== false,
      logger: app.log,
    }),
  )
  const junk = createJunk(createStrangers({ io: app.io, addressOf, logger: app.log }).onForeign)
  app.io.engine.on('connection', (connection: ChatSocket['conn']) => {
    junk.watch(connection)
    inside.onPing(connection, junk.count)
  })
  app.decorate('junk', junk)
  app.decorate(
    'door',
    createDoor({
      io: app.io,
      inside,
      maxLagMs: config.MAX_LOOP_DELAY_MS,
      // A client may have been about to hear a ping, which it misses after so long.
      mostStillMs: PING_TIMEOUT_MS,
      drainLimitMs: drainLimitMs(config.DRAIN_MS),
      logger: app.log,
    }),
  )
}

export default fp(io, { name: 'chat-io', fastify: '5.x', dependencies: ['chat-config', 'chat-limits'] })
