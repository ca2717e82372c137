import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, Written } from '../../services/bus/index.js'
import type { Carrier } from '../../services/bus/link.js'
import { createPostgresCarrier } from '../../services/bus/postgres.js'
import { createRedisCarrier } from '../../services/bus/redis.js'
import { createRemoteBus } from '../../services/bus/remote.js'
import { openDatabase } from '../../services/db/index.js'
import { needsRedis, startRedis } from '../../test/helpers/redis.js'
import { type Bench, type CaseResult, interleave, type Sample } from '../lib/bench.js'
import { cpuOf, cpuOfTree } from '../lib/proc.js'
import { medians } from '../lib/stats.js'

const RATES = [100, 1_000, 5_000, 20_000]
const TICK_MS = 5
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A message as its writer publishes it, some 330 bytes. */
function written(revision: number): Written {
  const chatId = `chat-${revision % 100}`
  const message = {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    chatId,
    seq: revision,
    revision,
    sender: { userId: 'alice', name: 'Alice', avatarUrl: null },
    clientMessageId: `key-${revision}`,
    content: 'twenty letters of it',
    replyToId: null,
    replyToSeq: null,
    mentions: { userIds: [], everyone: false },
    attachments: [],
    metadata: null,
    reactions: [],
    pinnedAt: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    editedAt: null,
    deletedAt: null,
  }
  const change = { chatId, revision, kind: 'message_created' as const, actorId: 'alice', message }
  return { chatId, range: { after: revision - 1, through: revision }, changes: [change] }
}

interface Peer {
  carrier: Carrier
  /** The CPU time of the server, in µs. */
  cpu(): number
}

/** One node speaks at a rate, some hear; all in this process, whose CPU is theirs. */
async function run({ carrier, cpu }: Peer, listeners: number, rate: number, ms: number): Promise<Sample> {
  const buses: Bus[] = Array.from({ length: listeners + 1 }, () => createRemoteBus({ carrier, logger: quiet }))
  const [speaker, ...others] = buses as [Bus, ...Bus[]]
  const sentAt: number[] = []
  const took: number[] = []
  let heard = 0
  for (const other of others) {
    other.subscribe('changes', (news) => {
      for (const { range } of news) {
        heard += 1
        took.push(performance.now() - (sentAt[range?.through ?? 0] ?? 0))
      }
    })
  }
  while (!buses.every((bus) => bus.health().ok)) await sleep(10)
  await sleep(200)
  heard = 0
  took.length = 0
  const before = [cpuOf(process.pid), cpu(), performance.now()] as const
  let sent = 0
  while (performance.now() - before[2] < ms) {
    const due = ((performance.now() - before[2]) / 1_000) * rate
    for (; sent < due; ) {
      sent += 1
      sentAt[sent] = performance.now()
      speaker.publish('changes', [written(sent)])
    }
    await sleep(TICK_MS)
  }
  for (let i = 0; heard < sent * listeners && i < 100; i += 1) await sleep(10)
  const after = [cpuOf(process.pid), cpu()] as const
  await Promise.all(buses.map((bus) => bus.stop()))
  took.sort((a, b) => a - b)
  const at = (part: number) => took[Math.floor(took.length * part)] ?? Number.NaN
  return {
    us: (after[0] - before[0]) / sent,
    serverUs: (after[1] - before[1]) / sent,
    p50: at(0.5),
    p99: at(0.99),
    lost: sent * listeners - heard,
  }
}

/** What a change costs on its way to other nodes. */
export async function bus(bench: Bench): Promise<CaseResult> {
  const { cluster, owner } = bench
  const db = await openDatabase({ databaseUrl: cluster.url, dataDir: '/nonexistent', logger: quiet })
  await db.close()
  const peers: Record<string, Peer> = {
    PostgreSQL: { carrier: createPostgresCarrier(db), cpu: () => cpuOfTree(cluster.pid) },
  }
  if (!('skip' in needsRedis)) {
    const redis = await startRedis(owner)
    peers.Redis = {
      carrier: createRedisCarrier({ url: redis.url, namespace: 'bench' }),
      cpu: () => cpuOf(redis.pid()),
    }
  }
  const rows: (string | number)[][] = []
  const data: unknown[] = []
  for (const rate of bench.quick ? RATES.slice(2, 3) : RATES) {
    const runs = Object.entries(peers).flatMap(([name, peer]) =>
      [1, 3].map(
        (listeners) =>
          [`${name}, ${listeners}`, (isWarmUp: boolean) => run(peer, listeners, rate, isWarmUp ? 500 : 2_000)] as const,
      ),
    )
    const samples = await interleave(bench, `${rate} a second`, Object.fromEntries(runs))
    data.push({ rate, samples })
    for (const [name, all] of Object.entries(samples)) {
      const { us = 0, serverUs = 0, p50 = 0, p99 = 0 } = medians(all)
      const lost = all.reduce((sum, { lost = 0 }) => sum + lost, 0)
      rows.push([name, rate, us.toFixed(1), serverUs.toFixed(1), p50.toFixed(1), p99.toFixed(1), lost])
    }
  }
  return {
    data,
    checks: [],
    tables: [
      {
        title: 'The bus between nodes: µs of CPU per change of some 330 bytes',
        note: 'One node speaks, one or three hear; the nodes’ CPU is that of all of them together, timers of the load included.',
        head: ['bus, nodes that hear', 'changes/s', 'nodes µs', 'server µs', 'p50 ms', 'p99 ms', 'not heard'],
        rows,
      },
    ],
  }
}
