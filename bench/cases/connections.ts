import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, CaseResult, Sample } from '../lib/bench.js'
import { createDatabase, query } from '../lib/postgres.js'
import { cpuOf, rssOf } from '../lib/proc.js'
import { SECRET } from '../lib/secrets.js'
import { ring, seedOurs } from '../lib/seed.js'
import { type Server, startOurs, startPeer } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'

const ROOMS = 10
/** A stock client comes back after 0.5 to 1.5 s; the half that all wait is no work of ours. */
const SPREAD_MS = 1_000
const PING_MS = 15_000
const GRACE_MS = 4_500
/** Backends tell their counts when they have been idle so long. */
const STATS_MS = 10_500

type Name = 'ours' | 'stock'

interface Plan {
  from: number
  to: number
  /** How many come back at once. */
  back: number
  /** Rooms in all; large enough ones that presence is not pushed along them. */
  chats: number
}

async function look(server: Server) {
  await sleep(700)
  const { heapUsed } = (await server.call('gc')) as { heapUsed: number }
  return { cpu: cpuOf(server.pid), rss: rssOf(server.pid), heap: heapUsed / 1_024 }
}

/** What the connections from the first step to the second cost. */
async function slope(bench: Bench, name: Name, server: Server, { from, to, chats }: Plan): Promise<Sample> {
  const hello = (user: number) =>
    JSON.stringify(name === 'ours' ? { token: sign(`u${user}`, SECRET) } : { client: user, chats })
  const open = (begin: number, end: number) =>
    bench.generator.call('open', {
      group: name,
      protocol: 'socket.io',
      port: server.port,
      hellos: Array.from({ length: end - begin }, (_, i) => hello(begin + i)),
      parallel: 100,
    })
  await open(0, from)
  const before = await look(server)
  const cpuBefore = cpuOf(server.pid)
  const { ms } = await open(from, to)
  const cpu = cpuOf(server.pid) - cpuBefore
  const after = await look(server)
  const count = to - from
  return {
    rssKb: (after.rss - before.rss) / count,
    heapKb: (after.heap - before.heap) / count,
    us: cpu / count,
    perSecond: (count / ms) * 1_000,
  }
}

/** CPU of a connection on which nothing happens but pings, in µs a second. */
async function rest(server: Server, clients: number): Promise<number> {
  const before = cpuOf(server.pid)
  await sleep(PING_MS)
  return ((cpuOf(server.pid) - before) / clients / PING_MS) * 1_000
}

/** All clients lose their connection and come back as stock clients do. */
async function storm(
  bench: Bench,
  server: Server,
  database: string,
  clients: number,
  isCounting: boolean,
): Promise<Sample> {
  const { generator } = bench
  await generator.call('kill', { group: 'ours' })
  await sleep(GRACE_MS)
  const statements = async () => {
    if (!isCounting) return Number.NaN
    await sleep(STATS_MS)
    const [row] = await query<{ n: string }>(
      database,
      'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
    )
    return Number(row?.n)
  }
  const before = await statements()
  const hellos = Array.from({ length: clients }, (_, i) => JSON.stringify({ token: sign(`u${i}`, SECRET) }))
  await server.call('resetLag')
  const cpu = cpuOf(server.pid)
  const options = { group: 'ours', protocol: 'socket.io' as const, port: server.port, hellos, parallel: clients }
  const { ms, refusals } = await generator.call('open', { ...options, spreadMs: SPREAD_MS })
  const lag = (await server.call('lag')) as { p99: number; max: number }
  const used = cpuOf(server.pid) - cpu
  return {
    ms,
    refusals,
    lagP99: lag.p99,
    lagMax: lag.max,
    us: used / clients,
    statements: (await statements()) - before,
  }
}

/** A connection's memory and CPU beside stock, and the return of all at once. */
export async function connections(bench: Bench): Promise<CaseResult> {
  const plan: Plan = bench.quick
    ? { from: 500, to: 1_500, back: 1_500, chats: 60 }
    : { from: 1_000, to: 10_000, back: 5_000, chats: 400 }
  const members = ring(plan.to, ROOMS, plan.chats)
  const slopes: Record<Name, Sample[]> = { ours: [], stock: [] }
  const storms: Sample[] = []
  const idle: Record<Name, number> = { ours: Number.NaN, stock: Number.NaN }
  for (let i = 0; i < bench.repetitions && !(i > 0 && bench.isLate()); i++) {
    for (const name of ['ours', 'stock'] as const) {
      bench.progress(`connections: ${name}, ${i + 1} of ${bench.repetitions}`)
      const database = name === 'ours' ? await createDatabase(bench.cluster) : ''
      const server = name === 'ours' ? await startOurs(bench.owner, database) : await startPeer(bench.owner, 'stock')
      if (name === 'ours') await seedOurs(database, members)
      slopes[name].push(await slope(bench, name, server, plan))
      if (i === 0 && !bench.quick) idle[name] = await rest(server, plan.to)
      if (name === 'ours') {
        bench.progress(`connections: ${plan.back} come back, ${i + 1} of ${bench.repetitions}`)
        storms.push(await storm(bench, server, database, plan.back, i === 0 && !bench.quick))
      }
      await bench.generator.call('kill', { group: name })
      await server.stop()
    }
  }

  const [ours, stock, back] = [medians(slopes.ours), medians(slopes.stock), medians(storms)]
  const ratio = (key: string) => (ours[key] as number) / (stock[key] as number)
  const row = (name: Name, of: Sample) => [
    name,
    of.rssKb,
    of.heapKb,
    of.us,
    idle[name],
    Math.round(of.perSecond as number),
  ]
  const check = (law: string, value: number, limit: number) => ({
    law,
    measured: value.toFixed(2),
    holds: value <= limit,
  })
  return {
    data: { slopes, storms, idle },
    costs: { connectionKb: ours.rssKb as number, connectUs: ours.us as number, restUs: idle.ours },
    tables: [
      {
        title: `A connection in ${ROOMS} chats: slope from ${plan.from} to ${plan.to}, after garbage collection`,
        note: `Ours with token, user, chats and \`session\`; stock joins as many rooms. Chats of ${(plan.to * ROOMS) / plan.chats}: too large for presence to be pushed.`,
        head: ['', 'RSS KB', 'heap KB', 'CPU µs to connect', 'µs a second at rest', 'connections a second'],
        rows: [
          row('ours', ours),
          row('stock', stock),
          ['ours × stock', ratio('rssKb'), ratio('heapKb'), ratio('us'), idle.ours / idle.stock, ''],
        ] as (string | number)[][],
      },
      {
        title: `${plan.back} clients back at once, as stock clients come back (within ${SPREAD_MS} ms, refused ones again after 1 to 5 s)`,
        head: [
          'seconds until all are in',
          'event-loop delay p99 ms',
          'max ms',
          'CPU µs each',
          'refusals',
          'SQL statements',
        ],
        rows: [
          [
            ((back.ms as number) / 1_000).toFixed(1),
            back.lagP99,
            back.lagMax,
            back.us,
            Math.round(back.refusals as number),
            storms[0]?.statements ?? Number.NaN,
          ] as (string | number)[],
        ],
      },
    ],
    checks: [
      check('a connection: RSS ≤ 1.2 × stock (×)', ratio('rssKb'), 1.2),
      check('a connection: CPU ≤ 1.2 × stock (×)', ratio('us'), 1.2),
      check(`${plan.back} clients back: ≤ 10 s`, (back.ms as number) / 1_000, 10),
      check(`${plan.back} clients back: event-loop delay p99 ≤ 100 ms`, back.lagP99 as number, 100),
    ],
  }
}
