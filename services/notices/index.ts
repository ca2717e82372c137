import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { createLead } from '../db/lead.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { LeaseStore } from '../presence/leases.js'
import { createDeliver } from './deliver.js'
import { createMemoryMoves, type Moves } from './moves.js'
import { createPlaces, type Start } from './places.js'
import type { NoticeSink, OnUnread } from './ports.js'
import { createRecentMoves, type Place } from './recent-moves.js'
import { createScan } from './scan.js'

export type { NoticeSink, OnUnread } from './ports.js'

export interface NoticesOptions {
  db: Database
  bus: Pick<Bus, 'subscribe'>
  leases: Pick<LeaseStore, 'truth' | 'left' | 'clock'>
  log: Pick<Log, 'getUnread'>
  logger: Logger
  metrics?: Pick<Metrics, 'unreadNotices' | 'noticeScanSeconds'>
  /** How long after a message; 0: nobody is told. */
  afterMs: number
  /** In larger chats only who is named is told. */
  maxMembers: number
  /** Whether other processes write, too: what moved is then read from the log's numbers of transactions. */
  isShared: boolean
  onUnread?: OnUnread | undefined
}

const MAX_SCAN_MS = 1_000
const MIN_SCAN_MS = 20
const RETRY_MS = 1_000
/** How often it is kept that there was nothing. */
const KEEP_MS = 30_000

export type Notices = ReturnType<typeof createNotices>

/**
 * Tells who is away of what they have not read: law 10. One node of all scans; where nobody takes notices, none does. What a round could not
 * do is done by the next, here or on the node that takes over.
 */
export function createNotices(options: NoticesOptions) {
  const { db, bus, leases, logger, metrics, afterMs, maxMembers, isShared, onUnread } = options
  const places = createPlaces(db)
  const sinks: NoticeSink[] = onUnread ? [toSink(onUnread, logger)] : []
  let leading: AbortController | undefined
  let running = Promise.resolve()
  let isStarted = false

  const lead = createLead(db, {
    what: 'notices',
    onWon() {
      const mine = new AbortController()
      leading = mine
      running = running.then(() => run(mine.signal))
    },
    onLost: () => leading?.abort(),
  })

  async function run(signal: AbortSignal): Promise<void> {
    const rest = (ms: number) => sleep(ms, undefined, { signal, ref: false }).catch(() => {})
    while (!signal.aborted) {
      try {
        await rounds(signal, rest)
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'unread notices could not be decided yet')
        await rest(RETRY_MS)
      }
    }
  }

  async function rounds(signal: AbortSignal, rest: (ms: number) => Promise<unknown>): Promise<void> {
    const isStopped = () => signal.aborted
    const start = await places.begin(await leases.clock())
    const { moves, place } = openMoves(start)
    const scan = createScan({ db, leases, moves, start, afterMs, maxMembers, isStopped })
    const onTold = (count: number) => metrics?.unreadNotices.inc(count)
    const deliver = createDeliver({ db, log: options.log, sinks, maxMembers, logger, onTold, isStopped })
    let keptAt = performance.now()
    try {
      // What a scanner before this one may have delivered comes again as it was, before anything adds to it.
      await deliver.all()
      while (!signal.aborted) {
        const startedAt = performance.now()
        const hasMoved = await scan.once()
        metrics?.noticeScanSeconds.observe((performance.now() - startedAt) / 1_000)
        const leftMs = scan.leftMs()
        if (leftMs !== null && (hasMoved || startedAt - keptAt > KEEP_MS) && !signal.aborted) {
          const since = await places.keep(place(), leftMs)
          if (since) scan.countFrom(since)
          keptAt = startedAt
        }
        const isDone = await deliver.all()
        await rest(isDone ? Math.min(MAX_SCAN_MS, Math.max(MIN_SCAN_MS, afterMs / 10)) : RETRY_MS)
      }
    } finally {
      moves.stop()
    }
  }

  function openMoves(start: Start): { moves: Moves; place(): Place | null } {
    if (!isShared) return { moves: createMemoryMoves({ bus, afterMs }), place: () => null }
    const moves = createRecentMoves({ db, afterMs, place: start.place })
    return { moves, place: moves.place }
  }

  return {
    /** Has somebody take notices, too; the first one begins the scan. */
    addSink(sink: NoticeSink): void {
      sinks.push(sink)
      if (isStarted && afterMs > 0) lead.start()
    },

    /** Scans from now on, where somebody takes notices. */
    start(): void {
      isStarted = true
      if (afterMs > 0 && sinks.length > 0) lead.start()
    },

    /** Ends the round that is under way, and lets another node go on. */
    async stop(): Promise<void> {
      leading?.abort()
      await lead.stop()
      await running
    },
  }
}

/** A listener that breaks harms nobody, and is not told again. */
function toSink(onUnread: OnUnread, logger: Logger): NoticeSink {
  return {
    name: 'onUnread',
    async deliver(notice) {
      try {
        await onUnread(notice)
      } catch (error) {
        logger.error({ err: error, chatId: notice.chatId }, '❌ a listener of the host broke')
      }
    },
  }
}
