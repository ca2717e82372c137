import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type CaseResult, interleave, meter, type Sample, settle } from '../lib/bench.js'
import { createChannel } from '../lib/channel.js'
import { createDatabase } from '../lib/postgres.js'
import { layout } from '../lib/seed.js'
import { median, medians } from '../lib/stats.js'
import { measureSends, openSender, warmUp } from './sends.js'

const CHATS = 100
const MEMBERS = 20
const SHARES = [0.25, 0.5, 0.8]
const MAX_IN_FLIGHT = 100
const GROUP = 'ours with search'

type Bare = (name: string, options: { inFlight: number; ms: number }) => Promise<unknown>

async function startBare(bench: Bench): Promise<{ call: Bare; stop(): void }> {
  const child = fork(join(import.meta.dirname, '../servers/commit.js'), {
    env: { PATH: process.env.PATH, DATABASE_URL: await createDatabase(bench.cluster) },
  })
  const stop = () => void child.kill('SIGKILL')
  bench.owner.teardown(stop)
  return { call: createChannel(child, 'the bare commit'), stop }
}

/** Send→ack and send→deliver at shares of the highest rate held, beside a bare commit with as many in flight. */
export async function latency(bench: Bench): Promise<CaseResult> {
  const { generator } = bench
  const ms = bench.quick ? 600 : 2_000
  // Of each chat a sender and one who only reads.
  const users = [0, 1].flatMap((k) => Array.from({ length: CHATS }, (_, i) => `u${i * MEMBERS + k}`))
  const chats = users.map((_, i) => [`c${i % CHATS}`])
  const { server } = await openSender(bench, GROUP, layout(CHATS, MEMBERS), users)
  const bare = await startBare(bench)

  await warmUp(bench, GROUP, chats)
  const highest: number[] = []
  for (let i = 0; i < 4; i++) {
    bench.progress(`latency: the highest rate, ${i + 1} of 4`)
    const { perSecond } = await measureSends(bench, server, GROUP, chats, 1_000, ms)
    if (i > 0) highest.push(perSecond as number)
  }
  const most = median(highest)

  let inFlight = 1
  async function ours(rate: number): Promise<Sample> {
    const work = { kind: 'send' as const, chats, bytes: 120 }
    await generator.call('openLoop', { group: GROUP, work, rate, senders: CHATS })
    await sleep(ms / 4)
    await server.call('resetLag')
    const metered = await meter(bench, server, () => sleep(ms))
    const lag = (await server.call('lag')) as { p99: number }
    const { ack, deliver, late } = await generator.call('stop', { group: GROUP })
    await settle(bench, GROUP)
    inFlight = Math.min(MAX_IN_FLIGHT, Math.max(1, Math.round((rate * ack.p50) / 1_000)))
    return {
      ...prefix('ack', ack),
      ...prefix('deliver', deliver),
      lag: lag.p99,
      generatorShare: metered.generatorShare,
      late,
      inFlight,
    }
  }
  async function commit(): Promise<Sample> {
    const { p50, p95, p99 } = (await bare.call('run', { inFlight, ms })) as Record<string, number>
    return { ...prefix('bare', { p50, p95, p99 } as Spread), bareInFlight: inFlight }
  }

  const data: { share: number; ours: Sample[]; bare: Sample[] }[] = []
  for (const share of SHARES) {
    const runs = { ours: () => ours(most * share), bare: () => commit() }
    data.push({ share, ...(await interleave(bench, `latency at ${share * 100} %`, runs)) })
  }
  await generator.call('kill', { group: GROUP })
  await server.stop()
  bare.stop()

  const rows = data.map(({ share, ours, bare }) => ({ share, ...medians(ours), ...medians(bare) }) as Sample)
  const half = rows.find(({ share }) => share === 0.5) as Sample
  const check = (law: string, value: number, limit: number) => ({
    law: `at 50 % of the highest rate: ${law}`,
    measured: value.toFixed(2),
    holds: value <= limit,
  })
  const three = (row: Sample, name: string) =>
    ['P50', 'P95', 'P99'].map((q) => (row[name + q] as number).toFixed(1)).join(' / ')
  return {
    data: { highest, data },
    tables: [
      {
        title: 'Latency in ms, p50 / p95 / p99',
        note: `Search on, 100 chats × 20, two of each connected; the highest rate held was ${Math.round(most)} sends a second. The bare commit inserts one row at a time on as many connections as sends were in flight.`,
        head: [
          'share of the highest rate',
          'send→ack',
          'send→deliver',
          'bare commit',
          'in flight',
          'event-loop delay p99',
          'the generator: share of a core',
        ],
        rows: rows.map((row) => [
          `${(row.share as number) * 100} %`,
          three(row, 'ack'),
          three(row, 'deliver'),
          three(row, 'bare'),
          row.inFlight as number,
          row.lag as number,
          row.generatorShare as number,
        ]),
      },
    ],
    checks: [
      check('send→ack p99 ≤ 3 × a bare commit (×)', (half.ackP99 as number) / (half.bareP99 as number), 3),
      check('send→deliver p99 ≤ 3 × a bare commit (×)', (half.deliverP99 as number) / (half.bareP99 as number), 3),
      check('event-loop delay p99 ≤ 20 ms', half.lag as number, 20),
    ],
  }
}

interface Spread {
  p50: number
  p95: number
  p99: number
}
const prefix = (name: string, { p50, p95, p99 }: Spread): Sample => ({
  [`${name}P50`]: p50,
  [`${name}P95`]: p95,
  [`${name}P99`]: p99,
})
