import type { FastifyInstance } from 'fastify'
import type { Bus } from '../services/bus/index.js'
import type { Feed } from '../services/feed/index.js'
import type { Hub } from '../services/hub/index.js'
import type { Abuse } from '../services/limits/abuse.js'
import type { Log } from '../services/log/index.js'
import type { Metrics } from '../services/metrics.js'

export interface GaugesOptions {
  bus: Bus
  hub: Hub
  log: Log
  feed: Feed
  abuse: Abuse
  metrics: Metrics
  /** What keeps maps, by its name. */
  rooms: Record<string, { sizes(): Record<string, number> }>
}

/** Has /metrics tell how much there is of everything just now. */
export function createGauges(
  app: FastifyInstance,
  { bus, hub, log, feed, abuse, metrics, rooms }: GaugesOptions,
): void {
  const { io, db, budgets, seats } = app
  metrics.gauge('chat_connections', 'Engine connections.', () => io.engine.clientsCount)
  metrics.gauge('chat_bus_ok', 'Whether the bus reaches the other nodes.', () => Number(bus.health().ok), 'min')
  metrics.gauge('chat_users', 'Users with a socket here.', hub.countUsers)
  metrics.gauge('chat_served_chats', 'Chats with a socket here.', feed.size)
  metrics.gauge('chat_send_queue', 'Sends that wait for a commit.', log.queued)
  metrics.gauge('chat_db_waiting', 'Statements that wait for their turn.', db.waiting)
  metrics.gauge('chat_db_pool_busy', 'Database connections in use.', () => db.pool.totalCount - db.pool.idleCount)
  metrics.gauge('chat_db_pool_waiting', 'Queries that wait for a database connection.', () => db.pool.waitingCount)
  for (const [room, { sizes }] of Object.entries(rooms)) metrics.sizes(room, sizes)
  metrics.sizes('limits', () => ({ budgets: budgets.size(), abuse: abuse.size(), seats: seats.size() }))
}
