import { setTimeout as sleep } from 'node:timers/promises'
import type { Costs } from './costs.js'
import type { Generator } from './generator.js'
import type { Owner } from './owner.js'
import type { Cluster } from './postgres.js'
import { cpuOf, cpuOfTree } from './proc.js'
import type { Server } from './servers.js'
import type { Chart } from './svg.js'

/** What every case is given. */
export interface Bench {
  owner: Owner
  generator: Generator
  cluster: Cluster
  quick: boolean
  repetitions: number
  /** What this is set beside in `before`. */
  commit: string
  /** Whether the time of the run is nearly over: what is left is measured once. */
  isLate(): boolean
  /** Says how far the run is. */
  progress(text: string): void
}

export interface Table {
  title: string
  note?: string
  head: string[]
  rows: (string | number)[][]
}

/** A line of what must hold, and how it came out. */
export interface Check {
  law: string
  measured: string
  holds: boolean
}

export interface CaseResult {
  tables: Table[]
  chart?: Chart
  /** Costs for the capacity model. */
  costs?: Partial<Costs>
  checks: Check[]
  /** The raw figures. */
  data: unknown
}

export type Sample = Record<string, number>

/** Runs each peer once to warm it up, then all of them in turn, so many times; answers the samples of each. */
export async function interleave<P extends string>(
  bench: Bench,
  title: string,
  peers: Record<P, (isWarmUp: boolean) => Promise<Sample>>,
): Promise<Record<P, Sample[]>> {
  const names = Object.keys(peers) as P[]
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<P, Sample[]>
  for (const name of names) await peers[name](true)
  for (let i = 0; i < bench.repetitions && !(i > 0 && bench.isLate()); i++) {
    for (let k = 0; k < names.length; k++) {
      // Each time another begins.
      const name = names[(k + i) % names.length] as P
      bench.progress(`${title}: ${name}, ${i + 1} of ${bench.repetitions}`)
      samples[name].push(await peers[name](false))
    }
  }
  return samples
}

/** The CPU time that some work takes of a server, of PostgreSQL and of the load generator, in µs. */
export async function meter<T>(bench: Bench, server: Server, work: () => Promise<T>) {
  const read = () => [cpuOf(server.pid), cpuOfTree(bench.cluster.pid), cpuOf(bench.generator.pid), performance.now()]
  const before = read()
  const result = await work()
  const after = read()
  const [cpu = 0, sql = 0, generator = 0, ms = 0] = after.map((value, i) => value - (before[i] ?? 0))
  return { result, cpu, sql, ms, generatorShare: generator / ms / 1_000, serverShare: cpu / ms / 1_000 }
}

/** Meters a load that runs, once it runs evenly: CPU, acks and deliveries of a while. */
export async function meterWhile(bench: Bench, server: Server, group: string, warmMs: number, ms: number) {
  const { generator } = bench
  await sleep(warmMs)
  const before = await generator.call('counts', { group })
  const metered = await meter(bench, server, () => sleep(ms))
  const after = await generator.call('counts', { group })
  if (after.failures > before.failures) throw new Error(`${server.name}: ${after.failures} commands failed`)
  if (after.gone > 0) throw new Error(`${server.name}: clients were lost: ${JSON.stringify(after.reasons)}`)
  return { ...metered, acks: after.acks - before.acks, events: after.events - before.events }
}

/** Waits until a stopped load has been answered. */
export async function settle(bench: Bench, group: string): Promise<void> {
  let last = -1
  for (;;) {
    const { acks, events } = await bench.generator.call('counts', { group })
    if (acks + events === last) return
    last = acks + events
    await sleep(150)
  }
}
