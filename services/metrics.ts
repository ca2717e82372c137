import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What a process counts, as it travels to another. */
export type Counts = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export type Metrics = ReturnType<typeof createMetrics>

/** How many entries each map of a room has. */
export type Sizes = Record<string, number>

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What is counted, in Prometheus' names; no label holds a user's or a chat's id. */
export function createMetrics() {
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

  return {
    registry,
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
    unreadNotices: new Counter({ name: 'chat_unread_notices_total', help: 'Unread notices delivered.', registers }),
    noticeScanSeconds: new Histogram({
      name: 'chat_notice_scan_seconds',
      help: 'How long one scan for unread notices took.',
      buckets: SECONDS,
      registers,
    }),
    pushes: new Counter({
      name: 'chat_pushes_total',
      help: 'Pushes to devices, by kind and by what became of them.',
      labelNames: ['kind', 'outcome'],
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
    hookPosts: new Counter({
      name: 'chat_hook_posts_total',
      help: 'Requests to hooks, by hook and what became of them: ok, failed, or gone.',
      labelNames: ['hook', 'outcome'],
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
