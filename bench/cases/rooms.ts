import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, interleave, type Sample } from '../lib/bench.js'
import { layout } from '../lib/seed.js'
import type { Server } from '../lib/servers.js'
import { medians } from '../lib/stats.js'
import { measureSends, openSender, SENDERS, type Sender, warmUp } from './sends.js'

const ROOMS = 50
const MEMBERS = 10
const IN_FLIGHT = [64, 1_000]
const SETTLE_MS = 1_500

/** Rooms of 10, all connected: the whole cost of a durable send and its ten deliveries. */
export async function rooms(bench: Bench): Promise<CaseResult> {
  const users = Array.from({ length: ROOMS * MEMBERS }, (_, i) => `u${i}`)
  // A client to each room in turn, so that what is in flight is spread over the rooms.
  const order = users.map((_, i) => users[(i % ROOMS) * MEMBERS + Math.floor(i / ROOMS)] as string)
  const chats = order.map((_, i) => [`c${i % ROOMS}`])
  const servers = new Map<Sender, Server>()
  for (const name of SENDERS) {
    servers.set(name, (await openSender(bench, name, layout(ROOMS, MEMBERS), order)).server)
  }
  await sleep(SETTLE_MS)
  for (const name of SENDERS) await warmUp(bench, name, chats)

  const ms = bench.quick ? 400 : 1_200
  const data: { inFlight: number; samples: Record<Sender, Sample[]> }[] = []
  for (const inFlight of IN_FLIGHT) {
    const run = (name: Sender) => (isWarmUp: boolean) =>
      measureSends(bench, servers.get(name) as Server, name, chats, inFlight, isWarmUp ? ms / 2 : ms)
    const runs = Object.fromEntries(SENDERS.map((name) => [name, run(name)])) as Record<Sender, ReturnType<typeof run>>
    data.push({ inFlight, samples: await interleave(bench, `rooms of 10, ${inFlight} in flight`, runs) })
  }
  for (const [name, server] of servers) {
    await bench.generator.call('kill', { group: name })
    await server.stop()
  }

  const cell = (name: Sender, inFlight: number) => {
    const {
      us = 0,
      sqlUs = 0,
      perSecond = 0,
      deliveries = 0,
    } = medians(data.find((row) => row.inFlight === inFlight)?.samples[name] ?? [])
    return { us, perSecond, deliveries, all: us + sqlUs }
  }
  const ratio = (inFlight: number) => cell('ours', inFlight).us / cell('original', inFlight).us
  return {
    data,
    checks: IN_FLIGHT.map((n) => ({
      law: `rooms of 10, ${n} in flight: Node CPU of a send and its deliveries ≤ 1/3 of the original (×)`,
      measured: ratio(n).toFixed(2),
      holds: ratio(n) <= 1 / 3,
    })),
    tables: IN_FLIGHT.map((n) => ({
      title: `A durable send and its deliveries, ${ROOMS} rooms of 10, ${n} in flight`,
      head: ['', 'Node µs per send', 'with PostgreSQL', 'sends a second', 'deliveries per send', 'Node × original'],
      rows: SENDERS.map((name) => {
        const { us, all, perSecond, deliveries } = cell(name, n)
        return [name, us, all, Math.round(perSecond), deliveries, us / cell('original', n).us]
      }),
    })),
  }
}
