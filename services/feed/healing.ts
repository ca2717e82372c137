import type { LoggedChange } from '../bus/index.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Served } from './served.js'

export interface HealingOptions {
  log: Pick<Log, 'readChanges' | 'getHeads'>
  logger: Logger
  metrics?: Pick<Metrics, 'holesHealed'>
  /** The chat that is served under an id just now. */
  find(chatId: string): Served | undefined
  /** Delivers changes that were read, in order, as far as they follow on the position. */
  deliver(served: Served, changes: LoggedChange[]): void
}

const PAGE = 500
const RETRY_MS = 500

/** Fills holes: what was not heard is read from the Log, which has it. A read that fails is tried again until it succeeds. */
export function createHealing({ log, logger, metrics, find, deliver }: HealingOptions) {
  let unverified: string[] = []
  let isStopped = false

  const isServed = (served: Served) => find(served.chatId) === served

  function retry(work: () => Promise<void>): void {
    if (!isStopped) setTimeout(() => void work(), RETRY_MS).unref()
  }

  /** Reads the Log from a chat's position to its head and delivers it. */
  async function heal(served: Served): Promise<void> {
    if (served.healing !== 'no') {
      served.healing = 'again'
      return
    }
    try {
      do {
        served.healing = 'running'
        const changes = await log.readChanges(served.chatId, served.position, PAGE)
        // A chat that was left meanwhile and is served again is another one, with a position of its own.
        if (!isServed(served)) return
        if (changes.length === PAGE) served.healing = 'again'
        deliver(served, changes)
      } while (hasMore(served) && isServed(served))
      served.healing = 'no'
    } catch (error) {
      served.healing = 'no'
      if (isStopped || !isServed(served)) return
      logger.warn({ err: error, chatId: served.chatId }, 'a hole could not be filled yet')
      retry(() => heal(served))
    }
  }

  async function verify(): Promise<void> {
    const chatIds = unverified
    unverified = []
    try {
      for (const [chatId, head] of await log.getHeads(chatIds)) {
        const served = find(chatId)
        if (!served || head <= served.position) continue
        metrics?.holesHealed.inc()
        void heal(served)
      }
    } catch {
      unverified.push(...chatIds)
      retry(verify)
    }
  }

  return {
    heal,

    /** Looks at the head of a chat that is served from now on: what was committed since its position was read found nobody here. */
    verifySoon(chatId: string): void {
      if (unverified.push(chatId) === 1) setImmediate(() => void verify())
    },

    stop(): void {
      isStopped = true
    },
  }
}

/** Apart, for TypeScript does not know that `healing` changes while the log is read. */
const hasMore = ({ healing }: Served) => healing === 'again'
