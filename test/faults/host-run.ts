import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Cluster, freePort, type Owner, restartPostgres, startPostgres } from '../helpers/postgres.js'
import { countAnomalies } from './host-checks.js'
import { createEar } from './host-ear.js'
import { createTrader, type Fate } from './host-trader.js'
import { killPostgres } from './postmaster.js'
import { createRandom, pick } from './random.js'
import { now } from './recorder.js'
import { createServerProcess } from './server.js'

export interface HostRunOptions {
  transactions: number
  /** Kills of the service, of PostgreSQL, and of a host's connection at the server, spread over the run. */
  kills: { service: number; postgres: number; backends: number }
  seed: number
  onProgress?: (done: number) => void
}

export interface HostRunResult {
  counts: Record<string, number>
  anomalies: Record<string, number>
  /** The first of what came out of order. */
  witnesses: string[]
  said: string
}

const CHATS = 8
const SENDERS = 4
const TRADERS = 6
/** Sends by REST beside the hosts', so that both numbers are given under one lock. */
const OTHER_MS = 25
const SETTLE_MS = 60_000
const CALM_MS = 1_000

/** Has hosts trade while their connections, the service and PostgreSQL are killed, and counts what must not be. */
export async function runHosts(
  owner: Owner,
  { transactions, kills, seed, onProgress }: HostRunOptions,
): Promise<HostRunResult> {
  const random = createRandom(seed)
  let cluster: Cluster = await startPostgres(owner)
  const admin = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: cluster.url })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(text, values)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }
  await admin('CREATE TABLE public.orders (id text PRIMARY KEY, message_id uuid NOT NULL)')
  const env = { DATABASE_URL: cluster.url, DATABASE_SCHEMA: 'chat', BUS: 'memory' }
  const server = createServerProcess(await freePort(), env)
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  const senders = Array.from({ length: SENDERS }, (_, i) => `sender-${i}`)
  const chatIds = Array.from({ length: CHATS }, (_, i) => `chat-${i}`)
  for (const userId of ['ear', ...senders]) await server.call('PUT', `/users/${userId}`, { name: userId })
  for (const chatId of chatIds) {
    await server.call('POST', '/chats', { chatId, type: 'group', memberIds: ['ear', ...senders] })
  }
  const ear = createEar(owner, server.url, 'ear')
  const count = { attempts: 0, rollbacks: 0, cuts: 0, cutCommits: 0, failures: 0 }
  const fates = new Map<string, { fate: Fate; askedAt: number }>()
  /** From each kill until all has been well again for a moment. */
  const storms: { from: number; through: number }[] = []

  const startedAt = now()
  let next = 0
  const placeOf = (order: string) => {
    const number = Number(order.slice('order-'.length))
    return { chatId: chatIds[number % CHATS] as string, senderId: senders[number % SENDERS] as string }
  }
  const traders = Array.from({ length: TRADERS }, async () => {
    const trader = createTrader({ url: () => cluster.url, placeOf, random, count })
    while (next < transactions) {
      const order = `order-${next++}`
      fates.set(order, await trader.trade(order))
      if (fates.size % 500 === 0) onProgress?.(fates.size)
    }
    trader.stop()
  })
  let isOver = false
  let others = 0
  const other = (async () => {
    while (!isOver) {
      const body = { content: 'beside the orders', clientMessageId: `other-${others++}` }
      await server.call('POST', `/chats/${pick(random, chatIds)}/messages`, body, pick(random, senders))
      await sleep(OTHER_MS)
    }
  })()

  const killers = {
    async service() {
      await server.kill()
      server.spawn()
      await server.ready()
    },
    async postgres() {
      await killPostgres(cluster, random() < 0.5)
      await sleep(random() * 500)
      cluster = await restartPostgres(cluster)
    },
    async backends() {
      await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name NOT LIKE 'chat-socket-service%'
        ORDER BY random() LIMIT 1`)
    },
  }
  const plan = Object.entries(kills)
    .flatMap(([victim, times]) => Array.from({ length: times }, () => victim as keyof typeof killers))
    .map((victim) => ({ victim, at: Math.floor(random() * transactions) }))
    .sort((a, b) => a.at - b.at)
  for (const { victim, at } of plan) {
    while (fates.size < at) await sleep(10)
    const from = now()
    await killers[victim]()
    storms.push({ from, through: now() + CALM_MS })
  }
  await Promise.all(traders)
  isOver = true
  await other

  const isSettled = await settle()
  const seconds = (now() - startedAt) / 1_000
  const keysOf = (wanted: Fate) => [...fates].filter(([, { fate }]) => fate === wanted).map(([order]) => order)
  const client = new pg.Client({ connectionString: cluster.url })
  await client.connect()
  const anomalies = await countAnomalies(client, keysOf('committed'), keysOf('rolled back'))
  await client.end()
  const said = server.said()
  ear.socket.disconnect()
  await server.kill()

  const latencies = calmLatencies().sort((a, b) => a - b)
  const at = (share: number) => Number((latencies[Math.floor(share * (latencies.length - 1))] ?? 0).toFixed(1))
  return {
    counts: {
      transactions: fates.size,
      committed: keysOf('committed').length,
      ...count,
      ...Object.fromEntries(Object.entries(kills).map(([victim, times]) => [`kills of ${victim}`, times])),
      others,
      sessions: ear.sessions(),
      'commit to delivery, calm: samples': latencies.length,
      'p50 ms': at(0.5),
      'p99 ms': at(0.99),
      seconds: Math.round(seconds),
    },
    anomalies: { ...anomalies, 'out of order': ear.disorder.length, 'chats not told to their end': isSettled ? 0 : 1 },
    witnesses: ear.disorder.slice(0, 3),
    said,
  }

  /** Times from a commit's being asked for to the socket, of those that no kill was near. */
  function calmLatencies(): number[] {
    return [...fates].flatMap(([order, { fate, askedAt }]) => {
      const toldAt = ear.toldAt.get(order)
      if (fate !== 'committed' || toldAt === undefined) return []
      const isCalm = !storms.some(({ from, through }) => askedAt < through && toldAt > from)
      return isCalm ? [toldAt - askedAt] : []
    })
  }

  /** Waits, not for ever, until the socket has been told each chat to its head. */
  async function settle(): Promise<boolean> {
    for (const end = now() + SETTLE_MS; now() < end; await sleep(100)) {
      const heads = await admin<{ id: string; revision: number }>('SELECT id, revision FROM chat.chats')
      if (heads.every(({ id, revision }) => ear.positions.get(id) === revision)) return true
    }
    return false
  }
}
