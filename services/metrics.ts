import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { createCounters } from './counters.js'

/** What a process counts, as it travels to another. */
export type Counts = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export type Metrics = ReturnType<typeof createMetrics>

/** How many entries each map of a room has. */
export type Sizes = Record<string, number>

/** Which build this is. */
export interface Build {
  version: string
  commit?: string | undefined
}

/** What is counted, in Prometheus' names; no label holds a user's or a chat's id. */
export function createMetrics({ version, commit = '' }: Build) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const rooms = new Map<string, () => Sizes>()
  let readOthers = async (): Promise<Counts[]> => []
  const counts = (): Promise<Counts> => registry.getMetricsAsJSON()
  new Gauge({
    name: 'chat_map_entries',
    help: 'Entries of what the rooms of the service keep in memory.',
    labelNames: ['map'],
    registers,
    collect(this: Gauge) {
      for (const [room, read] of rooms)
        for (const [map, size] of Object.entries(read())) this.set({ map: `${room}.${map}` }, size)
    },
  })

  new Gauge({
    name: 'chat_build_info',
    help: 'Always 1; its labels say which build this is, and which Node runs it.',
    labelNames: ['version', 'node', 'commit'],
    registers,
    aggregator: 'first',
  }).set({ version, node: process.versions.node, commit }, 1)

  return {
    registry,
    ...createCounters(registry),

    counts,

    /** Has other processes of this service counted, too: sums, unless a metric says otherwise. */
    addOthers(read: () => Promise<Counts[]>): void {
      readOthers = read
    },

    /** All that is counted, as Prometheus reads it. */
    async page(): Promise<string> {
      const others = await readOthers()
      if (others.length === 0) return registry.metrics()
      return AggregatorRegistry.aggregate([await counts(), ...others]).metrics()
    },

    /** Has what a room keeps in memory counted, each map by its name. */
    sizes: (room: string, read: () => Sizes): void => void rooms.set(room, read),

    /** A gauge of several things of a kind, each by its name; of several processes, the sum. */
    gaugeOfEach(name: string, help: string, kind: string, read: () => Map<string, number>): void {
      new Gauge({
        name,
        help,
        labelNames: [kind],
        registers,
        collect(this: Gauge) {
          this.reset()
          for (const [thing, value] of read()) this.set({ [kind]: thing }, value)
        },
      })
    },

    /** A gauge that is read when it is asked for; of several processes, the sum or the least. */
    gauge(name: string, help: string, read: () => number, aggregator: 'sum' | 'min' = 'sum'): void {
      new Gauge({
        name,
        help,
        registers,
        aggregator,
        collect(this: Gauge) {
          this.set(read())
        },
      })
    },
  }
}
