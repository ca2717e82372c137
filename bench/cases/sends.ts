import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, interleave, meterWhile, type Sample, settle } from '../lib/bench.js'
import { createDatabase, query } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { layout, type Membership, seedOriginal, seedOurs } from '../lib/seed.js'
import { type Server, startOurs, startPeer } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'

const CHATS = 100
const MEMBERS = 20
const WARM_ACKS = 4_000
const WARM_MS = 8_000
const BYTES = 120

export type Sender = 'original' | 'ours' | 'ours with search'
export const SENDERS: Sender[] = ['original', 'ours', 'ours with search']

/** Starts a server that stores, on a database of its own, with these members and what a statement adds; some users connect. */
export async function openSender(
  bench: Bench,
  name: Sender,
  members: Membership[],
  users: string[],
  group = name as string,
  more?: string,
) {
  const { owner, cluster, generator } = bench
  const database = await createDatabase(cluster)
  let server: Server
  if (name === 'original') {
    await seedOriginal(database, members)
    server = await startPeer(owner, 'original', { DATABASE_URL: database })
  } else {
    server = await startOurs(owner, database, { SEARCH: String(name === 'ours with search') })
    await seedOurs(database, members)
    if (more !== undefined) await query(database, more)
  }
  const hellos = users.map((userId) => JSON.stringify({ token: sign(userId, SECRET) }))
  const { port } = server
  await generator.call('open', { group, protocol: 'socket.io', port, hellos, parallel: 50 })
  return { server, database }
}

/** Sends until the code of a server is compiled. */
export async function warmUp(bench: Bench, group: string, chats: string[][]): Promise<void> {
  const { generator } = bench
  const { acks } = await generator.call('counts', { group })
  bench.progress(`${group}: warming up`)
  await generator.call('closedLoop', { group, work: { kind: 'send', chats, bytes: BYTES }, inFlight: 64 })
  for (const end = Date.now() + WARM_MS; Date.now() < end; await sleep(50)) {
    if ((await generator.call('counts', { group })).acks - acks >= WARM_ACKS) break
  }
  await generator.call('stop', { group })
  await settle(bench, group)
}

/** Durable sends in a closed loop: how many a second, and the CPU of each. */
export async function measureSends(
  bench: Bench,
  server: Server,
  group: string,
  chats: string[][],
  inFlight: number,
  ms: number,
): Promise<Sample> {
  const { generator } = bench
  await generator.call('closedLoop', { group, work: { kind: 'send', chats, bytes: BYTES }, inFlight })
  const metered = await meterWhile(bench, server, group, ms / 3, ms)
  await generator.call('stop', { group })
  await settle(bench, group)
  return {
    perSecond: (metered.acks / metered.ms) * 1_000,
    us: metered.cpu / metered.acks,
    sqlUs: metered.sql / metered.acks,
    deliveries: metered.events / metered.acks,
    generatorShare: metered.generatorShare,
    serverShare: metered.serverShare,
  }
}

/** Durable sends to 100 chats of 20, one member of each connected, beside the original design on the same PostgreSQL. */
export async function sends(bench: Bench): Promise<CaseResult> {
  const members = layout(CHATS, MEMBERS)
  const users = Array.from({ length: CHATS }, (_, i) => `u${i * MEMBERS}`)
  const chats = users.map((_, i) => [`c${i}`])
  const servers = new Map<Sender, Server>()
  for (const name of SENDERS) {
    servers.set(name, (await openSender(bench, name, members, users)).server)
    await warmUp(bench, name, chats)
  }

  const IN_FLIGHT = bench.quick ? [64, 1_000] : [1, 64, 1_000]
  const data: { inFlight: number; samples: Record<Sender, Sample[]> }[] = []
  for (const inFlight of IN_FLIGHT) {
    const ms = bench.quick ? 400 : 1_200
    const run = (name: Sender) => (isWarmUp: boolean) =>
      measureSends(bench, servers.get(name) as Server, name, chats, inFlight, isWarmUp ? ms / 2 : ms)
    const runs = Object.fromEntries(SENDERS.map((name) => [name, run(name)])) as Record<Sender, ReturnType<typeof run>>
    data.push({ inFlight, samples: await interleave(bench, `sends, ${inFlight} in flight`, runs) })
  }
  for (const [name, server] of servers) {
    await bench.generator.call('kill', { group: name })
    await server.stop()
  }

  const cell = (name: Sender, inFlight: number, key: string) =>
    medians(data.find((row) => row.inFlight === inFlight)?.samples[name] ?? [])[key] as number
  const ratio = (name: Sender, inFlight: number) =>
    cell(name, inFlight, 'perSecond') / cell('original', inFlight, 'perSecond')
  const check = (law: string, value: number, holds: boolean) => ({ law, measured: value.toFixed(2), holds })
  const times = (name: Sender, inFlight: number, least: number) =>
    check(
      `${name}, ${inFlight} in flight: ≥ ${least} × the original`,
      ratio(name, inFlight),
      ratio(name, inFlight) >= least,
    )
  const columns = (key: string, digits: number) =>
    SENDERS.map((name) => [name, ...IN_FLIGHT.map((n) => cell(name, n, key).toFixed(digits))])
  const head = ['', ...IN_FLIGHT.map((n) => `${n} in flight`)]
  return {
    data,
    costs: { sendUs: cell('ours with search', 64, 'us'), sendSqlUs: cell('ours with search', 64, 'sqlUs') },
    tables: [
      {
        title: 'Durable sends a second, 100 chats × 20 members',
        note: `${BYTES}-byte messages with a key, fsync on; one member of each chat is connected, so each send makes one ack and one delivery.`,
        head,
        rows: [
          ...columns('perSecond', 0),
          ...SENDERS.slice(1).map((name) => [`${name} × original`, ...IN_FLIGHT.map((n) => ratio(name, n).toFixed(2))]),
        ],
      },
      {
        title: 'CPU per durable send, Node and PostgreSQL together, × of ours in the original',
        note: 'Steadier than the rate where other work has the cores: how many more sends the same machine holds.',
        head,
        rows: SENDERS.slice(1).map((name) => [
          name,
          ...IN_FLIGHT.map((n) =>
            (
              (cell('original', n, 'us') + cell('original', n, 'sqlUs')) /
              (cell(name, n, 'us') + cell(name, n, 'sqlUs'))
            ).toFixed(2),
          ),
        ]),
      },
      { title: 'Node CPU per durable send, µs', head, rows: columns('us', 1) },
      { title: 'PostgreSQL CPU per durable send, µs', head, rows: columns('sqlUs', 0) },
      { title: 'The load generator, share of a core', head, rows: columns('generatorShare', 2) },
    ],
    checks: [
      times('ours', 64, 5),
      times('ours', 1_000, 4),
      times('ours with search', 64, 3),
      times('ours with search', 1_000, 3),
      ...[64, 1_000].map((n) =>
        check(`Node CPU per send at ${n} in flight: ≤ 60 µs`, cell('ours', n, 'us'), cell('ours', n, 'us') <= 60),
      ),
    ],
  }
}
