import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

import type { ErrorCode } from '../contract/errors.js'

/** What a process counts, as it travels to another. */
export type Counts = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export type Metrics = ReturnType<typeof createMetrics>

/** How many entries each map of a room has. */
export type Sizes = Record<string, number>

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** Whether a code says that somebody's credentials are not taken. */
export const isOfTokens = (code: ErrorCode) => code === 'UNAUTHENTICATED' || code === 'TOKEN_EXPIRED'

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
    commandSeconds: new Histogram({
      name: 'chat_command_seconds',
      help: 'How long commands took to answer, over both doors, by name and outcome: ok, or the code of the failure.',
      labelNames: ['command', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    httpSeconds: new Histogram({
      name: 'chat_http_request_seconds',
      help: 'How long HTTP requests took to answer, by route as it is written in the table of routes.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    connects: new Counter({
      name: 'chat_connects_total',
      help: 'Handshakes of sockets by outcome: ok, or the code of the refusal.',
      labelNames: ['outcome'],
      registers,
    }),
    authFailures: new Counter({
      name: 'chat_auth_failures_total',
      help: 'Credentials that were refused, by door (socket, rest) and code.',
      labelNames: ['door', 'code'],
      registers,
    }),
    sends: new Counter({
      name: 'chat_sends_total',
      help: 'Sends by what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
    deliveries: new Counter({ name: 'chat_deliveries_total', help: 'Logged events handed to sockets.', registers }),
    commitSeconds: new Histogram({
      name: 'chat_commit_seconds',
      help: 'How long a batch of sends took to commit.',
      buckets: SECONDS,
      registers,
    }),
    batchSize: new Histogram({ name: 'chat_commit_batch_size', help: 'Sends in a batch.', buckets: SIZES, registers }),
    deliverySeconds: new Histogram({
      name: 'chat_delivery_seconds',
      help: 'From the arrival of the oldest send of a batch to the handing of the batch to sockets.',
      buckets: SECONDS,
      registers,
    }),
    refusals: new Counter({
      name: 'chat_refusals_total',
      help: 'Failures answered, by code.',
      labelNames: ['code'],
      registers,
    }),
    holesHealed: new Counter({
      name: 'chat_holes_healed_total',
      help: 'Holes in what was published, filled from the log.',
      registers,
    }),
    closings: new Counter({
      name: 'chat_closings_total',
      help: 'Sockets that the server ended, by the code of the closing.',
      labelNames: ['code'],
      registers,
    }),
    busGaps: new Counter({
      name: 'chat_bus_gaps_total',
      help: 'Times that news of other nodes may have been missed, so that the database is read, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    busFaults: new Counter({
      name: 'chat_bus_faults_total',
      help: 'What came over the bus and was not as it must be, by fault.',
      labelNames: ['fault'],
      registers,
    }),
    verdicts: new Counter({
      name: 'chat_before_send_total',
      help: 'Messages that BEFORE_SEND_URL was asked about, by its answer: allow, refuse, replace, or failed.',
      labelNames: ['verdict'],
      registers,
    }),
    presenceChanges: new Counter({ name: 'chat_presence_changes_total', help: 'Presence changes told.', registers }),

    handed: new Counter({
      name: 'chat_handed_total',
      help: 'Requests and upgrades of polling clients that were handed to the worker whose they are.',
      labelNames: ['kind'],
      registers,
    }),

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
