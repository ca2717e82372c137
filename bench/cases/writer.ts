import { type Bench, type CaseResult, interleave, meter, meterWhile, type Sample, settle } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { seedOurs } from '../lib/seed.js'
import { type Server, startWriter } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import type { Work } from '../load/commands.js'
import { roomName, roomOf } from '../peers/payload.js'

const CLIENTS = 500
const SIZE = 500
const SMALL = 2
const BURSTS = [1, 16, 64]
const LABELS = {
  ours: 'ours: frames to the websocket, corked',
  'ours, uncorked': 'the same, never corked',
  'ours, answers by Engine.IO': 'events ours, answers by Engine.IO',
  'ours, answers by Socket.IO': 'events ours, answers by Socket.IO',
  engine: 'all by Engine.IO: `conn.write` with `wsPreEncodedFrame`',
  stock: 'all by Socket.IO: `socket.emit`',
}
type Way = keyof typeof LABELS
const WAYS = Object.keys(LABELS) as Way[]

const chats = Array.from({ length: CLIENTS }, (_, i) => roomOf(SMALL, i))
const ask = (event: string, more: object): Work => ({
  kind: 'ask',
  texts: chats.map((chatId) => JSON.stringify([event, { chatId, ...more }])),
})
const answers = ask('typing', { isTyping: false })
const sends: Work = { kind: 'send', chats: chats.map((chatId) => [chatId]), bytes: 120 }
/** Loads in order: what is read was sent before. */
const LOADS: Record<string, { work: Work; inFlight: number }> = {
  'answer, 1 in flight': { work: answers, inFlight: 1 },
  'answers, 10 a socket': { work: answers, inFlight: 10 * CLIENTS },
  'sends, 64': { work: sends, inFlight: 64 },
  'sends, 10 a socket': { work: sends, inFlight: 10 * CLIENTS },
  'history of 50, 64': { work: ask('get_messages', { limit: 50 }), inFlight: 64 },
}

async function open(bench: Bench, way: Way): Promise<Server> {
  const { cluster, owner, generator } = bench
  const database = await createDatabase(cluster)
  const server = await startWriter(owner, database, way)
  const users = Array.from({ length: CLIENTS }, (_, i) => `u${i}`)
  await seedOurs(
    database,
    users.flatMap((userId, i) => [SIZE, SMALL].map((size): [string, string] => [roomOf(size, i), userId])),
  )
  const hellos = users.map((userId) => JSON.stringify({ token: sign(userId, SECRET) }))
  await generator.call('open', { group: way, protocol: 'socket.io', port: server.port, hellos, parallel: 50 })
  return server
}

async function deliver(bench: Bench, way: Way, server: Server, burst: number, ms: number): Promise<Sample> {
  const trigger = { port: server.control, text: `${SIZE} 1 ${burst}\n` }
  const options = { group: way, trigger, expect: SIZE * burst, unit: 'events' as const, ms }
  const { cpu, result } = await meter(bench, server, () => bench.generator.call('fan', options))
  return { us: cpu / (result.rounds * SIZE * burst) }
}

async function load(bench: Bench, way: Way, server: Server, name: string, ms: number): Promise<Sample> {
  const { work, inFlight } = LOADS[name] as (typeof LOADS)[string]
  await bench.generator.call('closedLoop', { group: way, work, inFlight })
  const { cpu, acks } = await meterWhile(bench, server, way, ms / 3, ms)
  await bench.generator.call('stop', { group: way })
  await settle(bench, way)
  return { us: cpu / acks }
}

/** What it is worth to write past Socket.IO: the same service, with its events and answers written in several ways. */
export async function writer(bench: Bench): Promise<CaseResult> {
  const servers = new Map<Way, Server>()
  for (const way of WAYS) servers.set(way, await open(bench, way))

  const data: { name: string; samples: Record<Way, Sample[]> }[] = []
  async function compare(name: string, run: (way: Way, server: Server, ms: number) => Promise<Sample>): Promise<void> {
    const ms = bench.quick ? 300 : 800
    const runOf = (way: Way) => (isWarmUp: boolean) => run(way, servers.get(way) as Server, isWarmUp ? ms * 2 : ms)
    const runs = Object.fromEntries(WAYS.map((way) => [way, runOf(way)])) as Record<Way, ReturnType<typeof runOf>>
    data.push({ name, samples: await interleave(bench, name, runs) })
  }
  for (const burst of BURSTS) {
    await compare(`${roomName(SIZE, 0)} × ${burst}`, (way, server, ms) => deliver(bench, way, server, burst, ms))
  }
  for (const name of Object.keys(LOADS)) await compare(name, (way, server, ms) => load(bench, way, server, name, ms))
  for (const [way, server] of servers) {
    await bench.generator.call('kill', { group: way })
    await server.stop()
  }

  const cell = (way: Way, i: number): number => medians(data[i]?.samples[way] ?? []).us ?? Number.NaN
  const rows = (columns: number[]) =>
    WAYS.map((way) => [
      LABELS[way],
      ...columns.map((i) => `${cell(way, i).toFixed(2)} (${(cell(way, i) / cell('ours', i)).toFixed(2)})`),
    ])
  return {
    data,
    checks: [],
    tables: [
      {
        title: 'Ways to write: µs of server CPU per delivery to a room of 500 (× ours)',
        head: ['', ...BURSTS.map((burst) => (burst === 1 ? 'one at a time' : `bursts of ${burst}`))],
        rows: rows(BURSTS.map((_, i) => i)),
      },
      {
        title: 'Ways to write: µs of server CPU per command (× ours)',
        note: 'Answers alone (`typing` that is none), durable sends to rooms of two (an answer and two deliveries), and long answers.',
        head: ['', ...Object.keys(LOADS)],
        rows: rows(Object.keys(LOADS).map((_, i) => BURSTS.length + i)),
      },
    ],
  }
}
