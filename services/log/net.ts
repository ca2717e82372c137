import { createGaps } from '../bus/gaps.js'
import type { Bus } from '../bus/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Found, Look, Place } from './recent.js'

export interface NetOptions {
  /** Reads what was committed since a place; see `createRecent`. */
  look(since: Place | null): Promise<Look>
  bus: Pick<Bus, 'onGap' | 'health'>
  logger: Logger
  metrics?: Pick<Metrics, 'busGaps'>
  /** How often to look while the bus is well, and while it is not. */
  calmMs?: number
  hurriedMs?: number
}

/**
 * What lies under the bus. Laws:
 * 1. Whatever is committed, by whomever, `onFound` hears of within a look's time, once; or `onGap` hears that everything is to be compared.
 *    Ends of sockets stand nowhere to be compared with: `onFound` hears of each, sometimes again.
 * 2. A look that fails is made again; nothing that was committed meanwhile is passed over. Nobody waits for one.
 */
export interface Net {
  /** Hears what was found, in the order of commits: hints, of which most were heard on the bus. Answers what ends that. */
  onFound(listener: (found: Found) => unknown): () => void
  /** Hears that what was missed is not known: whatever a listener must not miss, it now reads for itself. Answers what ends that. */
  onGap(listener: () => unknown): () => void
  /** What a look finds then is told to nobody, and not waited for. */
  stop(): void
}

const CALM_MS = 1_000
const HURRIED_MS = 250
const RETRY_MS = 500
/** How long after the bus has missed something looks are frequent: as long as it takes to tell of it again. */
const WARY_MS = 6_000
/** So many lines, and the next look comes soon, before there are too many for one. */
const MANY_LINES = 2_500

/** Looks for what the bus has lost, again and again, and tells it: so gaps of the bus are filled by a look, unless that fails. */
export function createNet(options: NetOptions): Net {
  const { look, bus, logger, metrics, calmMs = CALM_MS, hurriedMs = HURRIED_MS } = options
  const gaps = createGaps(logger)
  const listeners = new Set<(found: Found) => unknown>()
  let place: Place | null = null
  let isFailing = false
  let waryUntil = 0
  let timer: NodeJS.Timeout | undefined
  let isLooking = false
  let isStopped = false

  function tell(found: Found): void {
    for (const listener of listeners) {
      try {
        listener(found)
      } catch (error) {
        logger.error({ err: error }, '❌ a listener of the net broke')
      }
    }
  }

  /** Looks once; answers when to look again. */
  async function once(): Promise<number> {
    try {
      const { place: next, found, isWhole, lines } = await look(place)
      if (isStopped) return 0
      place = next
      if (isFailing) logger.info({}, '✅ the database is asked again for what was not heard')
      tell(found)
      if (!isWhole || isFailing) gap()
      isFailing = false
      const isCalm = bus.health().ok && performance.now() > waryUntil && lines < MANY_LINES
      return isCalm ? calmMs : hurriedMs
    } catch (error) {
      if (!isFailing && !isStopped) {
        logger.warn({ err: error }, 'the database cannot be asked for what was not heard; that is tried again')
      }
      isFailing = true
      return RETRY_MS
    }
  }

  function gap(): void {
    metrics?.busGaps.inc({ reason: 'net' })
    gaps.tell()
  }

  async function run(): Promise<void> {
    if (isLooking) return
    isLooking = true
    clearTimeout(timer)
    const waitMs = await once()
    isLooking = false
    if (!isStopped) timer = setTimeout(() => void run(), waitMs).unref()
  }

  const unsubscribe = bus.onGap(() => {
    waryUntil = performance.now() + WARY_MS
    if (isFailing) gaps.tell()
    else if (!isStopped) void run()
  })
  void run()

  return {
    onFound(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onGap: gaps.listen,
    stop() {
      isStopped = true
      unsubscribe()
      gaps.stop()
      clearTimeout(timer)
    },
  }
}
