import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, type Check, interleave, meter, type Sample } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { seedOurs } from '../lib/seed.js'
import { natsAvailable, type Server, startFeedOnly, startNats, startOurs, startPeer } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import type { FanOptions } from '../load/fan.js'
import { NatsClient, subjectOf } from '../load/nats.js'
import { payload, ROOM_SIZES, roomName, roomOf } from '../peers/payload.js'

const CLIENTS = 1_000
const BURSTS = [1, 4, 16, 64]
const OTHER_BURSTS = [1, 16]
const SETTLE_MS = 1_500

type Peer = 'ws' | 'stock' | 'nats' | 'feed' | 'ours'
const LABELS: Record<Peer, string> = {
  ws: 'raw `ws` loop',
  stock: 'stock Socket.IO',
  nats: 'NATS',
  feed: 'ours, delivery alone',
  ours: 'ours, durable sends and all',
}

interface Shape {
  size: number
  rooms: number
  burst: number
}

/** Servers with clients in rooms of every size. */
export async function openFanout(bench: Bench): Promise<Partial<Record<Peer, Server>>> {
  const { owner, generator, cluster } = bench
  const members = ROOM_SIZES.flatMap((size) =>
    Array.from({ length: CLIENTS }, (_, i): [string, string] => [roomOf(size, i), `u${i}`]),
  )
  const clients = Array.from({ length: CLIENTS }, (_, i) => i)
  const servers: Partial<Record<Peer, Server>> = {}
  const plain = { ws: clients.map(String), stock: clients.map((client) => JSON.stringify({ client })) }
  for (const name of ['ws', 'stock'] as const) {
    const server = await startPeer(owner, name)
    servers[name] = server
    const { port } = server
    const protocol = name === 'ws' ? 'ws' : 'socket.io'
    await generator.call('open', { group: name, protocol, port, hellos: plain[name], parallel: 50 })
  }
  const tokens = clients.map((i) => JSON.stringify({ token: sign(`u${i}`, SECRET) }))
  for (const name of ['feed', 'ours'] as const) {
    const database = await createDatabase(cluster)
    servers[name] = name === 'feed' ? await startFeedOnly(owner, database) : await startOurs(owner, database)
    await seedOurs(database, members)
    const { port } = servers[name]
    await generator.call('open', { group: name, protocol: 'socket.io', port, hellos: tokens, parallel: 50 })
  }
  if (natsAvailable) {
    const server = await startNats(owner)
    servers.nats = server
    const { port } = server
    const subjects = (i: number) => ROOM_SIZES.map((size) => subjectOf(size, Math.floor(i / size)))
    const hellos = clients.map((i) => JSON.stringify(subjects(i)))
    await generator.call('open', { group: 'nats', protocol: 'nats', port, hellos, parallel: 50 })
  }
  await sleep(SETTLE_MS)
  return servers
}

/** What makes a peer deliver a burst to each room of a size. */
export function orders(peer: Peer, server: Server, { size, rooms, burst }: Shape, ms: number): FanOptions {
  const deliveries = size * rooms * burst
  const options = { group: peer, expect: deliveries, unit: 'events' as const, ms }
  if (peer === 'ours') {
    // Each message of a burst from another member.
    const frame = (i: number): [number, string] => [
      i % size,
      `42["send_message",{"chatId":"${roomName(size, 0)}","content":"twenty bytes of text"}]`,
    ]
    return { ...options, trigger: { sends: Array.from({ length: burst }, (_, i) => frame(i)) } }
  }
  if (peer !== 'nats') return { ...options, trigger: { port: server.control, text: `${size} ${rooms} ${burst}\n` } }
  let text = ''
  let expect = 0
  for (let room = 0; room < rooms; room++) {
    const message = `42${JSON.stringify(['new_message', payload(roomName(size, room), 1_000_000)])}`
    const subject = subjectOf(size, room)
    text += NatsClient.message(subject, message).repeat(burst)
    expect += NatsClient.bytesOf(subject, message) * size * burst
  }
  return { ...options, trigger: { port: server.port, text }, expect, unit: 'bytes' }
}

async function measure(bench: Bench, peer: Peer, server: Server, shape: Shape, ms: number): Promise<Sample> {
  const metered = await meter(bench, server, () => bench.generator.call('fan', orders(peer, server, shape, ms)))
  const deliveries = metered.result.rounds * shape.size * shape.rooms * shape.burst
  return {
    us: metered.cpu / deliveries,
    perSecond: (deliveries / metered.result.ms) * 1_000,
    generatorUs: (metered.generatorShare * metered.ms * 1_000) / deliveries,
    generatorShare: metered.generatorShare,
    serverShare: metered.serverShare,
  }
}

async function run(bench: Bench, servers: Partial<Record<Peer, Server>>, shape: Shape) {
  const ms = bench.quick ? 150 : 400
  const peers = (Object.keys(servers) as Peer[]).filter((peer) => peer !== 'ours' || shape.rooms === 1)
  const runs = Object.fromEntries(
    peers.map((peer) => [
      peer,
      (isWarmUp: boolean) => measure(bench, peer, servers[peer] as Server, shape, isWarmUp ? ms / 2 : ms),
    ]),
  )
  return { shape, samples: await interleave(bench, `fan-out ${shape.size} × ${shape.burst}`, runs) }
}

/** Fan-out: µs of server CPU per delivery, by room and by burst, beside the peers. */
export async function fanout(bench: Bench): Promise<CaseResult> {
  const servers = await openFanout(bench)
  const shapes = BURSTS.map((burst): Shape => ({ size: 500, rooms: 1, burst }))
  if (!bench.quick) {
    for (const size of ROOM_SIZES.filter((size) => size !== 500)) {
      shapes.push(...OTHER_BURSTS.map((burst) => ({ size, rooms: CLIENTS / size, burst })))
    }
  }
  const data: Awaited<ReturnType<typeof run>>[] = []
  for (const shape of shapes) data.push(await run(bench, servers, shape))
  for (const [peer, server] of Object.entries(servers)) {
    await bench.generator.call('kill', { group: peer })
    await server.stop()
  }

  const cell = (peer: Peer, size: number, burst: number, key = 'us'): number => {
    const found = data.find(({ shape }) => shape.size === size && shape.burst === burst)
    const samples = found?.samples[peer]
    return samples ? (medians(samples)[key] as number) : Number.NaN
  }
  const peers = (['ws', 'stock', 'nats', 'feed', 'ours'] as const).filter((peer) => servers[peer])
  const sizes = ROOM_SIZES.filter((size) => size !== 500 && !bench.quick)
  return {
    data,
    checks: checksOf(cell),
    costs: { deliveryUs: cell('feed', 500, 1), joinedUs: cell('feed', 500, 16) },
    chart: {
      title: 'Fan-out to a room of 500 WebSocket clients',
      unit: 'µs of server CPU per delivery; less is better',
      groups: BURSTS.map((burst) => ({
        name: burst === 1 ? 'one at a time' : `bursts of ${burst}`,
        bars: peers.map((peer) => ({ name: LABELS[peer].replaceAll('`', ''), value: cell(peer, 500, burst) })),
      })),
    },
    tables: [
      {
        title: 'Fan-out to a room of 500: µs of server CPU per delivery',
        note: 'The same ~330 bytes from every peer. Without NATS: `apt-get install nats-server`.',
        head: ['', ...BURSTS.map((burst) => (burst === 1 ? 'one at a time' : `bursts of ${burst}`))],
        rows: peers.map((peer) => [LABELS[peer], ...BURSTS.map((burst) => cell(peer, 500, burst))]),
      },
      {
        title: 'The same: deliveries a second',
        note: 'One burst at a time: the next leaves when the last is delivered.',
        head: ['', ...BURSTS.map(String), 'the generator: share of a core (1, 64)', 'µs per delivery (1, 64)'],
        rows: peers.map((peer) => [
          LABELS[peer],
          ...BURSTS.map((burst) => Math.round(cell(peer, 500, burst, 'perSecond'))),
          ...['generatorShare', 'generatorUs'].map((key) =>
            [1, 64].map((burst) => cell(peer, 500, burst, key).toFixed(2)).join(', '),
          ),
        ]),
      },
      {
        title: 'Fan-out by size of room: µs per delivery, one at a time / bursts of 16',
        note: '1,000 clients; all rooms of a size get their burst in one turn.',
        head: ['', ...sizes.map(String)],
        rows: peers
          .filter((peer) => sizes.length > 0 && peer !== 'ours')
          .map((peer) => [
            LABELS[peer],
            ...sizes.map((size) => OTHER_BURSTS.map((burst) => cell(peer, size, burst).toFixed(2)).join(' / ')),
          ]),
      },
    ],
  }
}

function checksOf(cell: (peer: Peer, size: number, burst: number) => number): Check[] {
  const at = (peer: Peer, burst: number) => cell(peer, 500, burst)
  const check = (law: string, value: number, limit: number): Check => ({
    law: `room of 500, ${law}`,
    measured: value.toFixed(2),
    holds: value <= limit,
  })
  return [
    check('bursts of 16: ≤ 1.6 µs', at('feed', 16), 1.6),
    check('bursts of 16: ≤ 1/6 of stock (×)', at('feed', 16) / at('stock', 16), 1 / 6),
    check('bursts of 64: ≤ 0.7 µs', at('feed', 64), 0.7),
    check('bursts of 64: ≤ 1/12 of stock (×)', at('feed', 64) / at('stock', 64), 1 / 12),
    check('bursts of 64: below NATS (×)', at('feed', 64) / at('nats', 64), 1),
    check('one at a time: ≤ 1.2 × raw ws (×)', at('feed', 1) / at('ws', 1), 1.2),
    check('durable and all, bursts of 16: ≤ 1.6 µs', at('ours', 16), 1.6),
    check('durable and all, bursts of 64: ≤ 0.7 µs', at('ours', 64), 0.7),
    check('durable and all, one at a time: ≤ 1.2 × raw ws (×)', at('ours', 1) / at('ws', 1), 1.2),
  ]
}
