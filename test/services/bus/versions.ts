import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import type { Bus } from '../../../services/bus/index.js'
import type { Carrier } from '../../../services/bus/link.js'
import { createMemoryBus } from '../../../services/bus/memory.js'
import { createPostgresCarrier } from '../../../services/bus/postgres.js'
import { createRedisCarrier } from '../../../services/bus/redis.js'
import { createRemoteBus } from '../../../services/bus/remote.js'
import { openDatabase } from '../../../services/db/index.js'
import { createMetrics } from '../../../services/metrics.js'
import { killPostgres } from '../../faults/postmaster.js'
import { until } from '../../helper.js'
import { needsPostgres, restartPostgres, startPostgres } from '../../helpers/postgres.js'
import { needsRedis, startRedis } from '../../helpers/redis.js'

/** Two nodes of one service, which are the same where there is but one. */
export interface World {
  here: Bus
  there: Bus
  /** What was logged as an error. */
  errors: unknown[]
}

/** Two nodes with a server between them, which can be broken. */
export interface Wire extends World {
  /** Another node, of this service or of another. */
  join(service?: string): Promise<Bus>
  /** Sends everybody a packet that no node has made. */
  forge(packet: string): Promise<void>
  /** How often something was found wrong in what came, and why `onGap` was told. */
  count(name: 'chat_bus_faults_total' | 'chat_bus_gaps_total', reason: string): Promise<number>
  /** Cuts the connections of all nodes, at the server. */
  cut(): Promise<void>
  pause(): void
  resume(): void
  kill(): Promise<void>
  restart(): Promise<void>
}

interface Server {
  carrier(service: string): Carrier
  cut(): Promise<void>
  pause(): void
  resume(): void
  kill(): Promise<void>
  restart(): Promise<void>
}

export const TICK_MS = 100

async function open(t: Test, server: Server): Promise<Wire> {
  const errors: unknown[] = []
  const metrics = createMetrics({ version: '0.0.0' })
  const noted = { error: (fields: unknown) => void errors.push(fields), info() {}, warn() {}, debug() {} }
  const join = async (service = 'public') => {
    const bus = createRemoteBus({ carrier: server.carrier(service), logger: noted, metrics, tickMs: TICK_MS })
    t.teardown(bus.stop)
    await until('the bus is up', () => bus.health().ok)
    return bus
  }
  const here = await join()
  const there = await join()
  await acquainted(here, there)
  return {
    ...server,
    here,
    there,
    errors,
    join,
    async forge(packet) {
      const link = await server.carrier('public').open({ onPacket() {}, onClosed() {} })
      await link.send(packet)
      await sleep(50)
      link.close()
    },
    async count(name, reason) {
      const { values = [] } = (await metrics.registry.getSingleMetric(name)?.get()) ?? {}
      return values.find(({ labels }) => Object.values(labels).includes(reason))?.value ?? 0
    },
  }
}

/** Waits until two nodes hear each other: who knows of nobody sends nothing. */
export async function acquainted(...buses: Bus[]): Promise<void> {
  for (const bus of buses) {
    const others = buses.filter((other) => other !== bus)
    const heard = new Set<Bus>()
    const chatId = `hello-${randomUUID()}`
    const ends = others.map((other) =>
      other.subscribe('changes', (news) => news.some((written) => written.chatId === chatId) && heard.add(other)),
    )
    await until('the others hear', async () => {
      bus.publish('changes', [{ chatId, range: null }])
      await sleep(20)
      return heard.size === others.length
    })
    for (const end of ends) end()
  }
}

const quiet = { error() {}, info() {}, warn() {}, debug() {} }

const SERVERS = {
  async postgres(t: Test): Promise<Server> {
    const cluster = await startPostgres(t)
    let { pid } = cluster
    const connectionOf = async (databaseSchema: string) => {
      const db = await openDatabase({
        databaseUrl: cluster.url,
        databaseSchema,
        dataDir: '/nonexistent',
        logger: quiet,
      })
      await db.close()
      return { connection: db.connection, schema: databaseSchema }
    }
    const schemas = new Map([['public', await connectionOf('public')]])
    schemas.set('other', await connectionOf('other'))
    /** What answers is the backends; their parent lets them in. */
    const signal = (name: NodeJS.Signals) => {
      const backends = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean)
      for (const id of [pid, ...backends]) process.kill(id, name)
    }
    return {
      carrier: (schema) => createPostgresCarrier(schemas.get(schema) ?? { connection: {}, schema }),
      async cut() {
        const client = new pg.Client({ connectionString: cluster.url })
        await client.connect()
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% bus'`)
        await client.end()
      },
      pause: () => signal('SIGSTOP'),
      resume: () => signal('SIGCONT'),
      kill: () => killPostgres({ ...cluster, pid }, true),
      async restart() {
        pid = (await restartPostgres(cluster)).pid
      },
    }
  },

  async redis(t: Test): Promise<Server> {
    const redis = await startRedis(t)
    return {
      carrier: (namespace) => createRedisCarrier({ url: redis.url, namespace }),
      async cut() {
        await redis.ask('CLIENT KILL TYPE pubsub')
      },
      pause: () => redis.signal('SIGSTOP'),
      resume: () => redis.signal('SIGCONT'),
      kill: redis.kill,
      restart: redis.start,
    }
  },
}

/** Starts a server, which goes with its test; on it, each call opens two nodes that nobody has heard of, which go with theirs. */
const worlds = (serve: (t: Test) => Promise<Server>) => async (t: Test) => {
  const server = await serve(t)
  return (t: Test) => open(t, server)
}

/** What each version is opened by, and the tap option that skips it where its server is not installed. */
export const WIRES = {
  postgres: { start: worlds(SERVERS.postgres), needs: needsPostgres },
  redis: { start: worlds(SERVERS.redis), needs: needsRedis },
}

/** The bus of one node: what is here is there. */
export async function openMemory(): Promise<World> {
  const errors: unknown[] = []
  const bus = createMemoryBus({ error: (fields: unknown) => void errors.push(fields) })
  return { here: bus, there: bus, errors }
}
