import { setTimeout as sleep } from 'node:timers/promises'
import { needsRedis, startRedis } from '../../test/helpers/redis.js'
import { type Bench, type CaseResult, type Check, interleave, type Sample, settle } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { cpuOf, cpuOfTree } from '../lib/proc.js'
import { SECRET } from '../lib/secrets.js'
import { type Membership, seedOurs } from '../lib/seed.js'
import { type Server, startOurs } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import type { Work } from '../load/commands.js'

const CLIENTS = 400
/** Chats of ten, whose members are spread over the nodes; and one of all. */
const CHATS = 100
const MEMBERS = 10
const IN_FLIGHT = 64
/** For latencies: so many on the first node and so many on the last, in a chat of their own, a send every 25 ms. */
const PAIRED = 10
const PACE = 40
const SETTLE_MS = 1_500
const PARALLEL = 50

/** Nodes of one service, and clients that are spread over them. */
interface Nodes {
  name: string
  servers: Server[]
  /** The CPU time of the nodes, of PostgreSQL and of Redis, in µs. */
  read(): { nodes: number; sql: number; redis: number }
  /** What it cost the nodes, and PostgreSQL, to let one client in, in µs. */
  connectUs: number
  connectSqlUs: number
}

const user = (place: number) => `u${place}`
const hello = (userId: string) => JSON.stringify({ token: sign(userId, SECRET) })
const range = (count: number) => Array.from({ length: count }, (_, i) => i)

const MEMBERSHIPS: Membership[] = [
  ...range(CLIENTS).map((i): Membership => ['all', user(i)]),
  ...range(CHATS).flatMap((chat) =>
    range(MEMBERS).map((k): Membership => [`c${chat}`, user((chat * (CLIENTS / CHATS) + k) % CLIENTS)]),
  ),
  ...range(2 * PAIRED).map((i): Membership => ['paired', `p${i}`]),
]

/** The users in the order of their clients: those of the first node come first. */
const usersOf = (count: number) => range(count).flatMap((node) => range(CLIENTS).filter((i) => i % count === node))

async function openNodes(bench: Bench, name: string, count: number, env: NodeJS.ProcessEnv, redisPid?: () => number) {
  const { owner, cluster, generator } = bench
  const database = await createDatabase(cluster)
  const servers = [await startOurs(owner, database, env)]
  await seedOurs(database, MEMBERSHIPS)
  while (servers.length < count) servers.push(await startOurs(owner, database, env))
  const read = () => ({
    nodes: servers.reduce((sum, { pid }) => sum + cpuOf(pid), 0),
    sql: cpuOfTree(cluster.pid),
    redis: redisPid ? cpuOf(redisPid()) : 0,
  })
  await sleep(SETTLE_MS)
  const before = read()
  const open = (group: string, { port }: Server, hellos: string[]) =>
    generator.call('open', { group, protocol: 'socket.io', port, hellos, parallel: PARALLEL })
  for (const [node, server] of servers.entries()) {
    const users = range(CLIENTS).filter((i) => i % count === node)
    await open(name, server, users.map(user).map(hello))
  }
  await sleep(SETTLE_MS)
  const after = read()
  const paired = range(2 * PAIRED).map((i) => hello(`p${i}`))
  await open(`${name}: here`, servers[0] as Server, paired.slice(0, PAIRED))
  await open(`${name}: there`, servers.at(-1) as Server, paired.slice(PAIRED))
  const connectUs = (after.nodes - before.nodes) / CLIENTS
  return { name, servers, read, connectUs, connectSqlUs: (after.sql - before.sql) / CLIENTS } satisfies Nodes
}

/** What some work costs, for each of what it has made. */
async function costs(nodes: Nodes, work: () => Promise<{ count: number; ms: number }>): Promise<Sample> {
  const before = nodes.read()
  const { count, ms } = await work()
  const after = nodes.read()
  return {
    us: (after.nodes - before.nodes) / count,
    sqlUs: (after.sql - before.sql) / count,
    redisUs: (after.redis - before.redis) / count,
    perSecond: (count / ms) * 1_000,
  }
}

/** Bursts to a chat of all, one after the other; each message from another member, of the first node or of all. */
function deliveries({ generator }: Bench, nodes: Nodes, burst: number, from: 'first' | 'all', ms: number) {
  const senders = from === 'first' ? CLIENTS / nodes.servers.length : CLIENTS
  const frame = '42["send_message",{"chatId":"all","content":"twenty bytes of text"}]'
  const sends = range(burst).map((i): [number, string] => [Math.floor((i * senders) / burst), frame])
  return costs(nodes, async () => {
    const options = { group: nodes.name, expect: CLIENTS * burst, unit: 'events' as const, ms }
    const result = await generator.call('fan', { ...options, trigger: { sends } })
    return { count: result.rounds * CLIENTS * burst, ms: result.ms }
  })
}

/** As many commands as the machine holds. */
async function commands(bench: Bench, nodes: Nodes, work: Work, ms: number): Promise<Sample> {
  const { generator } = bench
  const group = nodes.name
  await generator.call('closedLoop', { group, work, inFlight: IN_FLIGHT })
  await sleep(ms / 3)
  const sample = await costs(nodes, async () => {
    const startedAt = performance.now()
    const before = await generator.call('counts', { group })
    await sleep(ms)
    const after = await generator.call('counts', { group })
    if (after.failures + after.gone > 0) throw new Error(`${group}: commands failed: ${JSON.stringify(after)}`)
    return { count: after.acks - before.acks, ms: performance.now() - startedAt }
  })
  await generator.call('stop', { group })
  await settle(bench, group)
  return sample
}

/** From a send to its delivery: on its own node, and on the last. */
async function latencies({ generator }: Bench, { name }: Nodes, ms: number): Promise<Sample> {
  const work: Work = { kind: 'send', chats: range(PAIRED).map(() => ['paired']), bytes: 120 }
  const [here, there] = [`${name}: here`, `${name}: there`]
  await generator.call('openLoop', { group: there, work, rate: 0, senders: PAIRED })
  await generator.call('openLoop', { group: here, work, rate: PACE, senders: PAIRED })
  await sleep(ms)
  const own = await generator.call('stop', { group: here })
  await sleep(200)
  const other = await generator.call('stop', { group: there })
  const spread = { hereP50: own.deliver.p50, hereP99: own.deliver.p99, thereP50: other.deliver.p50 }
  return { ...spread, thereP99: other.deliver.p99, crossing: other.deliver.p50 - own.deliver.p50 }
}

/** One service on one, two and four nodes: what a delivery, a send, a change of presence and a connection cost all of them together. */
export async function nodes(bench: Bench): Promise<CaseResult> {
  const { owner } = bench
  const redis = 'skip' in needsRedis ? undefined : await startRedis(owner)
  const all: Nodes[] = [await openNodes(bench, 'one alone', 1, { BUS: 'memory' })]
  for (const count of bench.quick ? [2] : [1, 2, 4]) {
    all.push(await openNodes(bench, `${count}, PostgreSQL`, count, { BUS: 'postgres' }))
    if (redis)
      all.push(await openNodes(bench, `${count}, Redis`, count, { BUS: 'redis', REDIS_URL: redis.url }, redis.pid))
  }
  const ms = bench.quick ? 400 : 1_200
  const measure = (title: string, of: (nodes: Nodes, ms: number) => Promise<Sample>) =>
    interleave(
      bench,
      title,
      Object.fromEntries(all.map((each) => [each.name, (isWarmUp: boolean) => of(each, isWarmUp ? ms / 2 : ms)])),
    )
  const sends = (each: Nodes): Work => {
    const chats = usersOf(each.servers.length).map((i) => [`c${Math.floor(i / (CLIENTS / CHATS))}`])
    return { kind: 'send', chats, bytes: 120 }
  }
  const data = {
    one: await measure('one at a time', (each, ms) => deliveries(bench, each, 1, 'first', ms)),
    sixteen: await measure('bursts of 16', (each, ms) => deliveries(bench, each, 16, 'first', ms)),
    mixed: await measure('bursts of 16 of all', (each, ms) => deliveries(bench, each, 16, 'all', ms)),
    sends: await measure('sends', (each, ms) => commands(bench, each, sends(each), ms)),
    presence: await measure('presence', (each, ms) => commands(bench, each, { kind: 'presence' }, ms)),
    latency: await measure('latency', (each, ms) => latencies(bench, each, 2 * ms)),
  }
  for (const { name, servers } of all) {
    for (const group of [name, `${name}: here`, `${name}: there`]) await bench.generator.call('kill', { group })
    for (const server of servers) await server.stop()
  }
  const cell = (of: keyof typeof data, name: string, key = 'us') =>
    (medians(data[of][name] as Sample[]) as Sample)[key] as number
  return {
    data: { data, connects: all.map(({ name, connectUs, connectSqlUs }) => ({ name, connectUs, connectSqlUs })) },
    checks: checksOf(all, cell),
    tables: [
      {
        title: `One service on several nodes: µs of CPU of all nodes together, and of the servers beside them`,
        note: `A chat of ${CLIENTS} for deliveries, ${CHATS} chats of ${MEMBERS} for sends, members spread over the nodes; ${IN_FLIGHT} commands in flight. A burst by all nodes is as many commits as nodes, and as many writes to each socket. "One alone" has no bus.`,
        head: [
          'nodes, bus',
          'a delivery',
          'in bursts of 16 by one node',
          'by all nodes',
          'a send, its 10 deliveries too',
          'PostgreSQL a send',
          'Redis a send',
          'sends a second',
          'a presence change',
          'PostgreSQL',
          'a connect',
          'PostgreSQL',
        ],
        rows: all.map(({ name, connectUs, connectSqlUs }) => [
          name,
          cell('one', name).toFixed(2),
          cell('sixteen', name).toFixed(2),
          cell('mixed', name).toFixed(2),
          ...(['us', 'sqlUs', 'redisUs', 'perSecond'] as const).map((key) => Math.round(cell('sends', name, key))),
          ...(['us', 'sqlUs'] as const).map((key) => Math.round(cell('presence', name, key))),
          Math.round(connectUs),
          Math.round(connectSqlUs),
        ]),
      },
      {
        title: 'From a send to its delivery, in ms: on the sender’s node / on the last, p50 and p99',
        note: `${PACE} sends a second, nothing else.`,
        head: ['nodes, bus', 'own p50', 'own p99', 'other p50', 'other p99'],
        rows: all.map(({ name }) => [
          name,
          ...['hereP50', 'hereP99', 'thereP50', 'thereP99'].map((key) => cell('latency', name, key).toFixed(2)),
        ]),
      },
    ],
  }
}

function checksOf(
  all: Nodes[],
  cell: (of: 'sixteen' | 'sends' | 'latency', name: string, key?: string) => number,
): Check[] {
  const check = (law: string, value: number, limit: number) => ({
    law,
    measured: value.toFixed(2),
    holds: value <= limit,
  })
  const names = all.map(({ name }) => name)
  const alone = 'one alone'
  return [
    ...names
      .filter((name) => name.startsWith('2,'))
      .flatMap((name) => [
        check(`${name}: a delivery ≤ 1.2 × one alone (×)`, cell('sixteen', name) / cell('sixteen', alone), 1.2),
        check(
          `${name}: send→deliver on the other node within ${name.includes('Redis') ? 3 : 5} ms of the own (ms)`,
          cell('latency', name, 'crossing'),
          name.includes('Redis') ? 3 : 5,
        ),
      ]),
    check(
      'a send with the PostgreSQL bus ≤ 1.1 × PostgreSQL’s CPU of one without (×)',
      cell('sends', names.find((name) => name.endsWith('PostgreSQL')) ?? alone, 'sqlUs') /
        cell('sends', alone, 'sqlUs'),
      1.1,
    ),
  ]
}
