import { type Bench, type CaseResult, interleave, meter, type Sample } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { type Membership, seedOurs } from '../lib/seed.js'
import { type Server, startFeedOnly } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import { roomOf } from '../peers/payload.js'
import { measureSends, openSender, warmUp } from './sends.js'

const ROOM = 500
const SENDERS = 10
const MEMBERS = 5
const BURSTS = [1, 16]

/** A server that only delivers, with so many connections in rooms of 500. */
async function openRooms(bench: Bench, group: string, clients: number): Promise<Server> {
  const database = await createDatabase(bench.cluster)
  const server = await startFeedOnly(bench.owner, database)
  const users = Array.from({ length: clients }, (_, i) => i)
  await seedOurs(
    database,
    users.map((i): Membership => [roomOf(ROOM, i), `u${i}`]),
  )
  const hellos = users.map((i) => JSON.stringify({ token: sign(`u${i}`, SECRET) }))
  const { port } = server
  await bench.generator.call('open', { group, protocol: 'socket.io', port, hellos, parallel: 100 })
  return server
}

async function deliveries(bench: Bench, sizes: number[]) {
  const servers = new Map<number, Server>()
  for (const size of sizes) {
    bench.progress(`growth: ${size} connections`)
    servers.set(size, await openRooms(bench, `rooms ${size}`, size))
  }
  const data: Record<number, Record<string, Sample[]>> = {}
  for (const burst of BURSTS) {
    const run = (size: number) => async (): Promise<Sample> => {
      const server = servers.get(size) as Server
      const rooms = size / ROOM
      const metered = await meter(bench, server, () =>
        bench.generator.call('fan', {
          group: `rooms ${size}`,
          trigger: { port: server.control, text: `${ROOM} ${rooms} ${burst}\n` },
          expect: size * burst,
          unit: 'events',
          ms: bench.quick ? 200 : 800,
        }),
      )
      return { us: metered.cpu / (metered.result.rounds * size * burst) }
    }
    data[burst] = await interleave(
      bench,
      `growth of deliveries, bursts of ${burst}`,
      Object.fromEntries(sizes.map((size) => [size, run(size)])),
    )
  }
  for (const [size, server] of servers) {
    await bench.generator.call('kill', { group: `rooms ${size}` })
    await server.stop()
  }
  return data
}

/** Ten senders in so many chats of five between them, all of which get messages. */
function crowd(chats: number): Membership[] {
  return Array.from({ length: chats }).flatMap((_, chat) =>
    Array.from(
      { length: MEMBERS },
      (_, i): Membership => [
        `c${chat}`,
        i === 0 ? `s${chat % SENDERS}` : `u${(chat * (MEMBERS - 1) + i) % (chats * 2 + MEMBERS)}`,
      ],
    ),
  )
}

async function sending(bench: Bench, sizes: number[]) {
  const users = Array.from({ length: SENDERS }, (_, i) => `s${i}`)
  const runs: Record<string, () => Promise<Sample>> = {}
  const servers: Server[] = []
  for (const size of sizes) {
    bench.progress(`growth: ${size} chats`)
    const group = `chats ${size}`
    const { server } = await openSender(bench, 'ours', crowd(size), users, group)
    servers.push(server)
    const chats = users.map((_, i) => Array.from({ length: size / SENDERS }, (_, k) => `c${k * SENDERS + i}`))
    await warmUp(bench, group, chats)
    runs[size] = () => measureSends(bench, server, group, chats, 64, bench.quick ? 500 : 1_500)
  }
  const data = await interleave(bench, 'growth of sends', runs)
  for (const size of sizes) await bench.generator.call('kill', { group: `chats ${size}` })
  for (const server of servers) await server.stop()
  return data
}

/** How costs grow with connections and with chats. */
export async function growth(bench: Bench): Promise<CaseResult> {
  const connections = bench.quick ? [1_000, 2_000] : [1_000, 10_000]
  const chats = bench.quick ? [10, 100, 1_000] : [10, 1_000, 100_000]
  const delivered = await deliveries(bench, connections)
  const sent = await sending(bench, chats)

  const deliveryRows = BURSTS.map((burst) => ({
    name: `µs per delivery, rooms of ${ROOM}, bursts of ${burst}: ${connections.join(' → ')} connections`,
    costs: connections.map((size) => medians(delivered[burst]?.[size] ?? []).us as number),
  }))
  const sendRows = (['us', 'sqlUs'] as const).map((key) => ({
    name: `${key === 'us' ? 'Node' : 'PostgreSQL'} µs per send, 64 in flight: ${chats.join(' → ')} chats`,
    costs: chats.map((size) => medians(sent[size] ?? [])[key] as number),
  }))
  const times = ({ costs }: { costs: number[] }) => (costs.at(-1) as number) / (costs[0] as number)
  return {
    data: { delivered, sent },
    tables: [
      {
        title: 'Growth',
        note: 'In ten chats, sends of one commit share a chat: its row, its mark and its write to the socket. In many, each has its own.',
        head: ['', 'costs', '×'],
        rows: [...deliveryRows, ...sendRows].map((row) => [
          row.name,
          row.costs.map((cost) => cost.toFixed(2)).join(' → '),
          times(row),
        ]),
      },
    ],
    checks: [...deliveryRows, ...sendRows.slice(0, 1)].map((row) => ({
      law: `within ± 20 %: ${row.name}`,
      measured: times(row).toFixed(2),
      holds: Math.abs(times(row) - 1) <= 0.2,
    })),
  }
}
