import { identify } from '../db/identity.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { hearHosts } from './hosts.js'
import type { Bus, BusKind } from './index.js'
import { createMemoryBus, type RelayingBus } from './memory.js'
import { createPostgresCarrier } from './postgres.js'
import { createRemoteBus } from './remote.js'

export interface OpenBusOptions {
  kind: BusKind
  db: Database
  /** Of the version that needs it. */
  redisUrl?: string | undefined
  logger: Logger
  metrics?: Metrics
}

const BUSES: Record<BusKind, string> = {
  memory: '✅ one node alone: another on this database would not be heard',
  postgres: '✅ nodes of this database hear each other by PostgreSQL',
  redis: '✅ nodes of this database hear each other by Redis',
}

/** Opens the bus of a kind, and says so. It connects by itself, then and whenever it has to: nothing waits for it. A database that hosts can reach tells what they write. */
export async function openBus(options: OpenBusOptions): Promise<Bus> {
  const { kind, db, logger, metrics } = options
  logger.info({ bus: kind }, BUSES[kind])
  const bus = await openKind(options)
  return db.embedded ? bus : hearHosts({ bus, db, logger, ...(metrics && { metrics }) })
}

async function openKind({ kind, db, redisUrl, logger, metrics }: OpenBusOptions): Promise<RelayingBus> {
  const options = { logger, ...(metrics && { metrics }) }
  if (kind === 'redis' && redisUrl) {
    // Whoever has no Redis does not load its client.
    const { createRedisCarrier } = await import('./redis.js')
    return createRemoteBus({
      carrier: createRedisCarrier({ url: redisUrl, namespace: await identify(db) }),
      ...options,
    })
  }
  if (kind === 'postgres') return createRemoteBus({ carrier: createPostgresCarrier(db), ...options })
  return createMemoryBus(logger)
}
