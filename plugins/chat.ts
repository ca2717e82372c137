import type { Binder } from '../services/binder/index.js'
import type { Bus } from '../services/bus/index.js'
import type { Database } from '../services/db/index.js'
import type { Devices } from '../services/devices/index.js'
import type { createFace } from '../services/face.js'
import type { Feed } from '../services/feed/index.js'
import type { Hub } from '../services/hub/index.js'
import type { Limits } from '../services/limits/index.js'
import type { Log } from '../services/log/index.js'
import type { Metrics } from '../services/metrics.js'
import type { Notices } from '../services/notices/index.js'
import type { Outbox } from '../services/outbox/index.js'
import type { Presence } from '../services/presence/index.js'
import type { Sessions } from '../services/session/index.js'
import type { Tracing } from '../services/tracing.js'
import type { Users } from '../services/users/index.js'
import type { Config } from './config/settings.js'
import type { ChatServer } from './socket/types.js'
import type { SweptUploads } from './uploads.js'

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
  /** What the main API is told by POST; `outbox.queue('member.unread', data)` has the hooks told that want to hear of it. */
  outbox: Outbox
  /** Profiles and tombstones. */
  users: Users
  /** Who is told of what they have not read; `notices.addSink(sink)` has somebody take them, too. */
  notices: Notices
  /** Where users want to be told by push. */
  devices: Devices
  /** What is counted; `metrics.registry` is Prometheus'. */
  metrics: Metrics
  /** OpenTelemetry's spans of commands. */
  tracing: Tracing
}
