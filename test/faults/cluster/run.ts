import type { Owner } from '../../helpers/postgres.js'
import { check, type Verdict } from '../checker.js'
import { createRandom } from '../random.js'
import { now } from '../recorder.js'
import type { Kind, Pace } from './fault.js'
import { FAULTS } from './faults.js'
import type { Measure } from './measures.js'
import { type ClusterBus, createWorld } from './world.js'

export interface ClusterOptions {
  bus: ClusterBus
  nodes: number
  /** Scenarios, one after the other in one world. */
  names: string[]
  seed: number
  /** Of each scenario; unset, as many as it says. */
  rounds?: number
  isQuick: boolean
  clients: number
  rate: number
}

/** The worst of a figure over all rounds. */
export interface Figure extends Measure {
  scenario: string
  rounds: number
  /** In how many rounds it was above its bound. */
  above: number
}

export interface ClusterResult {
  bus: ClusterBus
  names: string[]
  counts: Record<Kind | 'seconds' | 'sends' | 'acked' | 'retries' | 'connections' | 'deliveries' | 'lines', number>
  figures: Figure[]
  verdict: Verdict
  /** What is wrong beside the history. */
  faults: string[]
  said: string
}

const FULL: Pace = { awayMs: 30_000, pauseMs: 30_000, partitionMs: 45_000 }
const QUICK: Pace = { awayMs: 5_000, pauseMs: 5_000, partitionMs: 5_000 }
/** Above so many times its bound a figure is a failure: processes, clients and checker share a machine. */
export const SLACK = 2

/** Runs scenarios against real nodes under load, and judges all that clients did and saw against what is stored. */
export async function runCluster(owner: Owner, options: ClusterOptions): Promise<ClusterResult> {
  const { bus, nodes, names, seed, rounds, isQuick, clients, rate } = options
  const startedAt = now()
  const world = await createWorld(owner, { bus, nodes, random: createRandom(seed), clients, rate })
  const kinds: Record<Kind, number> = { nodeKills: 0, postgresKills: 0, redisKills: 0, pauses: 0, partitions: 0 }
  const figures = new Map<string, Figure>()
  const faults: string[] = []
  const note = (fault: string) => faults.push(fault)

  function take(scenario: string, { name, value, bound }: Measure): void {
    const key = `${scenario}: ${name}`
    const known = figures.get(key) ?? { scenario, name, value: 0, bound, rounds: 0, above: 0 }
    const isAbove = bound !== null && value > bound
    // A bound that follows what was healthy in its round is kept with the value that it belongs to.
    const worst = known.rounds === 0 || value > known.value ? { value, bound } : {}
    figures.set(key, { ...known, ...worst, rounds: known.rounds + 1, above: known.above + Number(isAbove) })
    if (bound !== null && value > SLACK * bound) note(`${key}: ${round(value)}, at most ${SLACK} × ${round(bound)}`)
  }

  console.log(`  partitions: ${world.filter ? 'packets are dropped by nftables' : 'a proxy lets nothing through'}`)
  const warm = await world.probes.recovered(now())
  if (warm === Number.POSITIVE_INFINITY) note('nodes do not hear each other before any fault')
  for (const scenario of names) {
    const fault = FAULTS[scenario]
    if (!fault) continue
    const times = rounds ?? (isQuick ? 1 : fault.rounds)
    for (let turn = 0; turn < times; turn += 1) {
      const begunAt = now()
      for (const one of await fault.round(world, isQuick ? QUICK : FULL, turn)) take(scenario, one)
      if (fault.kind) kinds[fault.kind] += 1
      for (const { at, server } of world.nodes) {
        if (server.isRunning()) continue
        note(`${scenario}: node ${at} ended by itself`)
        server.spawn()
        await server.ready()
      }
      console.log(`  ${bus} ${scenario} ${turn + 1}/${times}: ${Math.round((now() - begunAt) / 1_000)} s`)
    }
  }
  const seconds = Math.round((now() - startedAt) / 1_000)
  if (!(await world.end())) note('not all came to rest')
  const { history, count } = world.recorder
  const verdict = check(history)
  return {
    bus,
    names,
    figures: [...figures.values()],
    verdict,
    faults,
    said: world.servers.map((server, at) => `node ${at}: ${headlines(server.said())}`).join('\n'),
    counts: {
      seconds,
      sends: history.sends.length,
      acked: history.sends.filter(({ acks }) => acks.length > 0).length,
      retries: world.load.count.retries,
      connections: count.connections,
      deliveries: count.deliveries,
      lines: history.log.length,
      ...kinds,
    },
  }
}

/** Three digits are enough. */
export const round = (value: number): number => (value < 10 ? Number(value.toFixed(2)) : Math.round(value))

/** What a node said, each thing once, without stacks. */
function headlines(said: string): string {
  const lines = said.split('\n').flatMap((line) => /^\[[\d:.]+\] (.+?)( \{.*)?$/.exec(line)?.[1] ?? [])
  const counts = new Map<string, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts].map(([line, count]) => `${line} (${count})`).join('; ')
}
