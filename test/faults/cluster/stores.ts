import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { RedisServer } from '../../helpers/redis.js'
import { killPostgres, signalPostgres, stopPostgres } from '../postmaster.js'
import { BOTH, type Fault, withoutBus, withoutPostgres } from './fault.js'
import type { World } from './world.js'

const CHURN_MS = 200
/** So long that what other nodes hear they have found themselves. */
const LEAST_AWAY_MS = 15_000
/** Between a kill and the new start, at most. */
const MOST_GAP_MS = 1_000

function redisOf({ redis }: World): RedisServer {
  if (!redis) throw new Error('there is no Redis in this run')
  return redis
}

/** Does something again and again, until it is stopped. */
function again(work: () => Promise<unknown>) {
  let isStopped = false
  const done = (async () => {
    for (; !isStopped; await sleep(CHURN_MS)) await work()
  })()
  return async () => {
    isStopped = true
    await done
  }
}

/** Churn under an outage of a bus. */
function churn(work: (world: World) => Promise<unknown>): Fault['round'] {
  return (world, pace) => {
    let stop = async () => {}
    const begin = async () => {
      stop = again(() => work(world))
    }
    return withoutBus(world, pace, { begin, end: () => stop() })
  }
}

async function endListeners(world: World): Promise<void> {
  const client = new pg.Client({ connectionString: world.postgres().url })
  client.on('error', () => {})
  await client.connect()
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chat-socket-service bus'`,
  )
  await client.end()
}

/** What happens to PostgreSQL. */
export const POSTGRES_FAULTS = {
  'postgres-kill': {
    about: 'kill -9 of PostgreSQL, with its backends or without, and a new start',
    on: BOTH,
    kind: 'postgresKills',
    rounds: 15,
    round: (world) =>
      withoutPostgres(world, world.random() * MOST_GAP_MS, {
        begin: () => killPostgres(world.postgres(), world.random() < 0.5),
        end: world.startPostgres,
      }),
  },
  'postgres-stop': {
    about: 'SIGQUIT, as pg_ctl stop -m immediate, and a new start',
    on: BOTH,
    kind: 'postgresKills',
    rounds: 5,
    round: (world) =>
      withoutPostgres(world, world.random() * MOST_GAP_MS, {
        begin: () => stopPostgres(world.postgres()),
        end: world.startPostgres,
      }),
  },
  'postgres-away': {
    about: 'stopped, and started after a while',
    on: BOTH,
    kind: 'postgresKills',
    rounds: 3,
    round: (world, { awayMs }) =>
      withoutPostgres(world, awayMs, { begin: () => stopPostgres(world.postgres()), end: world.startPostgres }),
  },
  'postgres-hang': {
    about: 'SIGSTOP of all its processes: connections stand and nobody answers',
    on: BOTH,
    rounds: 3,
    round: (world, { awayMs }) =>
      withoutPostgres(world, awayMs, {
        begin: () => signalPostgres(world.postgres(), 'SIGSTOP'),
        end: () => signalPostgres(world.postgres(), 'SIGCONT'),
      }),
  },
} satisfies Record<string, Fault>

/** What happens to the bus, while PostgreSQL is well. */
export const BUS_FAULTS = {
  'bus-cut': {
    about: 'the backends that listen are ended, five times a second',
    on: ['postgres'],
    rounds: 3,
    round: churn(endListeners),
  },
  'redis-kill': {
    about: 'kill -9 of Redis, and a new start at once',
    on: ['redis'],
    kind: 'redisKills',
    rounds: 15,
    round: (world) => {
      const redis = redisOf(world)
      return withoutBus(world, SHORT, { begin: redis.kill, end: redis.start })
    },
  },
  'redis-empty': {
    about: 'Redis is ended in order, and started empty after up to a second',
    on: ['redis'],
    kind: 'redisKills',
    rounds: 15,
    async round(world) {
      const redis = redisOf(world)
      const end = async () => {
        await sleep(world.random() * MOST_GAP_MS)
        await redis.start()
      }
      return await withoutBus(world, SHORT, { begin: () => endInOrder(redis), end })
    },
  },
  'redis-away': {
    about: 'killed, and started after a while',
    on: ['redis'],
    kind: 'redisKills',
    rounds: 3,
    round: (world, pace) => {
      const redis = redisOf(world)
      const awayMs = Math.max(pace.awayMs, LEAST_AWAY_MS)
      return withoutBus(world, { ...pace, awayMs }, { begin: redis.kill, end: redis.start })
    },
  },
  'redis-hang': {
    about: 'SIGSTOP: connections stand and nobody answers',
    on: ['redis'],
    rounds: 3,
    round: (world, pace) => {
      const redis = redisOf(world)
      return withoutBus(world, pace, {
        begin: async () => redis.signal('SIGSTOP'),
        end: async () => redis.signal('SIGCONT'),
      })
    },
  },
  'redis-churn': {
    about: 'all connections of Redis are ended, five times a second',
    on: ['redis'],
    rounds: 3,
    round: churn(async (world) => {
      await redisOf(world).ask('CLIENT KILL TYPE pubsub')
      await redisOf(world).ask('CLIENT KILL TYPE normal')
    }),
  },
} satisfies Record<string, Fault>

/** A kill with a new start takes this long; what CPU a delivery costs is told of longer times. */
const SHORT = { awayMs: 500, pauseMs: 0, partitionMs: 0 }

async function endInOrder(redis: RedisServer): Promise<void> {
  const path = `/proc/${redis.pid()}`
  redis.signal('SIGTERM')
  // Not asked over a connection: one that is accepted at the very end is closed without an answer.
  while (existsSync(path)) await sleep(10)
}
