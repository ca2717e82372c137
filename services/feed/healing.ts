import { setTimeout as sleep } from 'node:timers/promises'
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
  /** The log no longer has what follows on a chat's position. */
  onLost(served: Served): void
}

const PAGE = 500
const RETRY_MS = 500
/** What is found in the database may be on its way here, too: so long it may take. */
const MOMENT_MS = 50
/** Heads that one statement reads, and chats that are healed at once after it. */
const HEADS_AT_ONCE = 2_000
const HEALED_AT_ONCE = 8

/** Fills holes: what was not heard is read from the Log, which has it. A read that fails is tried again until it succeeds. */
export function createHealing({ log, logger, metrics, find, deliver, onLost }: HealingOptions) {
  const unverified = new Set<string>()
  let isVerifying = false
  /** Chats to heal, and up to which revision at least. */
  const behind = new Map<Served, number>()
  let healers = 0
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
        const after = served.position
        const changes = await log.readChanges(served.chatId, after, PAGE)
        // A chat that was left meanwhile and is served again is another one, with a position of its own.
        if (!isServed(served)) return
        if (changes[0] && changes[0].revision > after + 1) {
          onLost(served)
          return
        }
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
    while (unverified.size > 0 && !isStopped) {
      const chatIds = [...unverified].slice(0, HEADS_AT_ONCE)
      for (const chatId of chatIds) unverified.delete(chatId)
      try {
        healBehind(await log.getHeads(chatIds))
      } catch {
        for (const chatId of chatIds) unverified.add(chatId)
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
    isVerifying = false
  }

  /** Heals the chats whose position is behind their head, some at a time: after a gap they can be many. */
  function healBehind(heads: Map<string, number>): void {
    for (const [chatId, head] of heads) {
      const served = find(chatId)
      if (!served || head <= served.position) continue
      if (!behind.has(served)) metrics?.holesHealed.inc()
      behind.set(served, head)
    }
    while (healers < HEALED_AT_ONCE && healers < behind.size) void healNext()
  }

  async function healNext(): Promise<void> {
    healers += 1
    for (const [served, head] of behind) {
      behind.delete(served)
      if (isStopped) break
      if (served.position < head) await heal(served)
    }
    healers -= 1
  }

  return {
    heal,

    /** Takes in revisions that are in the log: chats that are still behind them in a moment are healed. */
    hearHeads(heads: [chatId: string, revision: number][]): void {
      const ahead = heads.filter(([chatId, head]) => head > (find(chatId)?.position ?? head))
      if (ahead.length > 0) setTimeout(() => healBehind(new Map(ahead)), MOMENT_MS).unref()
    },

    /** How many chats are behind and not yet being healed. */
    size: () => behind.size,

    /** Looks soon at the heads of some chats: what was committed there may have found nobody here, or was not heard. */
    verifySoon(chatIds: Iterable<string>): void {
      for (const chatId of chatIds) unverified.add(chatId)
      if (isVerifying || unverified.size === 0) return
      isVerifying = true
      setImmediate(() => void verify())
    },

    stop(): void {
      isStopped = true
    },
  }
}

/** Apart, for TypeScript does not know that `healing` changes while the log is read. */
const hasMore = ({ healing }: Served) => healing === 'again'
