import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../recorder.js'
import { crossNode, type Measure, measure, quantile, refusals, sameNode } from './measures.js'
import type { ClusterBus, World } from './world.js'

/** How long things are away, paused or cut off, in ms. */
export interface Pace {
  awayMs: number
  pauseMs: number
  partitionMs: number
}

/** What a round is counted as, beside its scenario. */
export type Kind = 'nodeKills' | 'postgresKills' | 'redisKills' | 'pauses' | 'partitions'

/** A fault, and what is measured of one round of it. A round ends with all healed. */
export interface Fault {
  about: string
  on: ClusterBus[]
  kind?: Kind
  /** Rounds of a full run. */
  rounds: number
  round(world: World, pace: Pace, turn: number): Promise<Measure[]>
}

export const BOTH: ClusterBus[] = ['postgres', 'redis']

const SAME_NODE_MS = 250
const CROSS_AWAY_MS = 10_000
const CROSS_AFTER_MS = 5_000
/** What is older must have been heard without the bus: what waits for it arrives when it is back, and would hide that nobody looked. */
const LATE_MS = 12_000
const CPU_RATIO = 1.5
/** Of less time what CPU a delivery costs says nothing. */
const CPU_WINDOW_MS = 5_000
const REFUSED_MS = 5_000
const FIRST_ACK_MS = 2_000
const PATIENCE_MS = 30_000
const AFTER_MS = 2_000

/** How long after a moment each node's sends reached all nodes. */
export async function recovery(world: World, since: number, bound: number): Promise<Measure> {
  return measure('all nodes hear all again, ms', await world.probes.recovered(since), bound)
}

/** Waits until what was sent between two moments is acked and heard everywhere, as far as that happens. */
async function told(world: World, from: number, to: number, isHeard: boolean): Promise<void> {
  const isDone = () =>
    world.probes
      .between(from, to)
      .every(({ ackedAt, heardAt }) => ackedAt !== undefined && (!isHeard || heardAt.size === world.nodes.length))
  for (const end = now() + PATIENCE_MS; now() < end && !isDone(); await sleep(50));
}

/** Some time under load: when it was, and the CPU of all nodes for each delivery. */
async function watch(world: World, ms: number) {
  const { count } = world.recorder
  const [from, cpu, deliveries] = [now(), world.cpu(), count.deliveries]
  await sleep(ms)
  return { from, to: now(), cpuMs: (world.cpu() - cpu) / Math.max(1, count.deliveries - deliveries) }
}

/** The bus is away for a while, and everything else is there. */
export async function withoutBus(
  world: World,
  pace: Pace,
  { begin, end }: { begin(): Promise<unknown>; end(): Promise<unknown> },
): Promise<Measure[]> {
  const size = world.nodes.length
  const { probes, recorder } = world
  const healthy = await watch(world, pace.awayMs / 2)
  const cut = recorder.count.disconnections
  await begin()
  const away = await watch(world, pace.awayMs)
  await end()
  const since = now()
  const recovered = await recovery(world, since, CROSS_AFTER_MS)
  await sleep(AFTER_MS)
  await told(world, healthy.from, now() - 1, true)
  const same = (from: number, to: number) => quantile(sameNode(probes.between(from, to)), 0.99)
  const cross = (from: number, to: number) => Math.max(0, ...crossNode(probes.between(from, to), size))
  const before = same(healthy.from, healthy.to)
  const old = probes.between(away.from, away.to - LATE_MS)
  const late = crossNode(old, size).filter((ms, i) => (old[i]?.at ?? 0) + ms > away.to)
  return [
    measure('same node, healthy, p99 ms', before),
    measure('other nodes, healthy, most ms', cross(healthy.from, healthy.to)),
    measure('same node, bus away, p99 ms', same(away.from, away.to), Math.max(SAME_NODE_MS, before)),
    measure('other nodes, bus away, most ms', cross(away.from, away.to), CROSS_AWAY_MS),
    measure(`heard only by the bus that came back, though sent ${LATE_MS / 1_000} s before`, late.length, 0),
    measure('other nodes, bus back, most ms', cross(since, since + AFTER_MS), CROSS_AFTER_MS),
    measure('CPU a delivery, healthy, µs', healthy.cpuMs * 1_000),
    measure(
      'CPU a delivery, bus away ÷ healthy',
      away.cpuMs / healthy.cpuMs,
      pace.awayMs < CPU_WINDOW_MS ? null : CPU_RATIO,
    ),
    measure('sockets lost', recorder.count.disconnections - cut, 0),
    recovered,
  ]
}

/** PostgreSQL is away for a while; `end` settles when it is back. */
export async function withoutPostgres(
  world: World,
  ms: number,
  { begin, end }: { begin(): Promise<unknown> | unknown; end(): Promise<unknown> | unknown },
): Promise<Measure[]> {
  const { probes, recorder } = world
  const cut = recorder.count.disconnections
  const from = now()
  await begin()
  await sleep(ms)
  const to = now()
  await end()
  const since = now()
  const recovered = await recovery(world, since, CROSS_AFTER_MS)
  const lost = recorder.count.disconnections - cut
  await told(world, from, to, false)
  const { count, longest, wrong } = refusals(probes.attempts, from, to)
  return [
    measure('sends refused', count),
    measure('longest refusal, ms', longest, REFUSED_MS),
    measure('refusals that are final, or never came', wrong, 0),
    measure('sockets lost', lost, 0),
    measure('first ack after it is back, ms', probes.firstAck(since), FIRST_ACK_MS),
    recovered,
  ]
}

/** What a node that is well said while another was not. */
export function othersDuring(world: World, node: number, from: number, to: number): Measure[] {
  const others = world.probes.attempts.filter((attempt) => attempt.node !== node)
  const { count, wrong } = refusals(others, from, to)
  return [
    measure('sends refused on other nodes', count),
    measure('refusals on other nodes that are final, or never came', wrong, 0),
  ]
}
