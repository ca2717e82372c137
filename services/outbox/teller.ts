import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { toTime } from '../time.js'
import { createGate } from './gate.js'
import type { Status, Target } from './hooks.js'
import { createLagging, type Lagging } from './lagging.js'
import type { createMover } from './mover.js'
import { createNoticeTeller } from './notice-teller.js'
import type { Notices } from './notices.js'
import type { createPages, Page } from './pages.js'
import type { createPositions, Place } from './positions.js'
import type { Answer, Poster, Telling } from './post.js'

export interface TellerOptions {
  positions: ReturnType<typeof createPositions>
  readPages: ReturnType<typeof createPages>
  mover: ReturnType<typeof createMover>
  notices: Notices
  poster: Poster
  /** Has a hook asked nothing more. */
  disable(key: string): Promise<void>
  logger: Logger
  metrics?: Pick<Metrics, 'hookPosts'>
  /** Ends what is under way. */
  signal: AbortSignal
}

export type Teller = ReturnType<typeof createTeller>

const RETRY_MS = 500
/** Chats of which it is kept in memory how far they were told, so that what is heard twice is not looked up. */
const KNOWN = 10_000

/**
 * Tells one hook what it lags behind. Laws: one request a chat is under way; a chat's position moves when a range was taken, from where it stood; what fails is
 * tried again for ever, and holds up neither other chats nor other hooks.
 */
export function createTeller(first: Target, options: TellerOptions) {
  const { positions, readPages, mover, notices, poster, disable, logger, metrics, signal } = options
  const { key } = first
  let target = first
  const lagging = createLagging()
  const gate = createGate(() => lagging.wake(true))
  const known = new Map<string, number>()
  const told = {
    lastFailure: null as string | null,
    lastFailureAt: null as string | null,
    lastSuccessAt: null as string | null,
  }
  let isReading = false
  /** The id after which the comparison of all chats goes on; null while none is made. */
  let comparing: string | null = null
  let isToCompare = false
  let isStopped = false
  let isStuck = false
  const underWay = new Set<Promise<unknown>>()

  const isOver = () => signal.aborted || isStopped || target.isDisabled
  const noticeTeller = createNoticeTeller({ hookKey: key, notices, gate, send, isOver, logger })

  function pump(): void {
    void tellChats()
    void noticeTeller.pump()
  }

  async function tellChats(): Promise<void> {
    if (isReading || isOver()) return
    isReading = true
    while (!isOver() && lagging.hasReady() && gate.free() > 0) {
      const chats = lagging.take(gate.free())
      try {
        await begin(chats)
        isStuck = false
      } catch (error) {
        for (const chat of chats) lagging.putBack(chat)
        await retry(error)
      }
    }
    isReading = false
  }

  /** Reads how far some chats were told, and what follows; then sends each its page. */
  async function begin(chats: Lagging[]): Promise<void> {
    const places = new Map(
      (
        await positions.load(
          key,
          chats.map(({ chatId }) => chatId),
        )
      ).map((place) => [place.chatId, place]),
    )
    const behind = [...places.values()].filter(({ seen, head }) => head > seen)
    const pages = behind.length > 0 ? await readPages(target, behind) : new Map<string, Page>()
    for (const chat of chats) {
      const place = places.get(chat.chatId)
      const page = pages.get(chat.chatId)
      if (!place) lagging.tell(chat, Number.POSITIVE_INFINITY)
      else {
        lagging.learn(chat, place)
        if (place.head <= place.seen) settle(chat, place.seen)
        else if (page) track(tell(chat, place, page))
        else lagging.putBack(chat)
      }
    }
  }

  function track(work: Promise<void>): void {
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  }

  async function tell(chat: Lagging, place: Place, { through, data }: Page): Promise<void> {
    const { chatId, revision, seen, replays } = place
    if (data) {
      const of = [replays, chatId, data.from, through]
      if (!(await send({ type: 'chat.changes', data, of }))) {
        if (signal.aborted) lagging.putBack(chat)
        else lagging.fail(chat)
        return
      }
    }
    const step = {
      hookKey: key,
      chatId,
      oldRevision: revision,
      oldSeen: seen,
      revision: data ? through : revision,
      seen: through,
    }
    if (await mover.move(step)) settle(chat, through)
    else lagging.putBack(chat)
    pump()
  }

  function settle(chat: Lagging, through: number): void {
    lagging.tell(chat, through)
    known.delete(chat.chatId)
    known.set(chat.chatId, through)
    const [oldest] = known.size > KNOWN ? known.keys() : []
    if (oldest !== undefined) known.delete(oldest)
  }

  /** Sends something; answers whether it was taken. */
  async function send({ type, data, of }: Telling): Promise<boolean> {
    const { url, secrets } = target
    const body = JSON.stringify({ type, timestamp: toTime(Date.now()), data })
    const id = `msg_${createHash('sha256')
      .update(JSON.stringify([key, ...of]))
      .digest('base64url')
      .slice(0, 27)}`
    gate.begin()
    const answer = await poster.post({ url, secrets, id, body }, signal)
    if (signal.aborted && answer.outcome === 'failed') gate.forget()
    else count(answer)
    if (answer.outcome === 'gone') await stopAsking()
    pump()
    return answer.outcome === 'ok'
  }

  function count(answer: Answer): void {
    const hook = target.id
    const isTaken = answer.outcome === 'ok'
    if (answer.outcome === 'failed') {
      if (gate.failures() === 0)
        logger.warn({ hook, reason: answer.reason }, '❌ a hook did not take what it was told; that is tried again')
      told.lastFailure = answer.reason
      told.lastFailureAt = toTime(Date.now())
    } else if (isTaken) {
      if (gate.failures() > 0) logger.info({ hook }, '✅ a hook takes again what it is told')
      told.lastSuccessAt = toTime(Date.now())
    }
    metrics?.hookPosts.inc({ hook, outcome: answer.outcome })
    gate.end(isTaken)
  }

  async function stopAsking(): Promise<void> {
    if (target.isDisabled) return
    target = { ...target, isDisabled: true }
    told.lastFailure = 'it answered 410'
    told.lastFailureAt = toTime(Date.now())
    logger.warn({ hook: target.id }, 'a hook answered 410: it is asked nothing more until it is put again')
    await disable(key).catch((error: unknown) => logger.warn({ err: error, hook: target.id }, 'that could not be kept'))
  }

  /** Compares the heads of all chats with what the hook was told, soon; what is more than can be kept waits for its turn. */
  function compare(): void {
    known.clear()
    isToCompare = true
    if (comparing === null) void compareAll()
  }

  async function compareAll(): Promise<void> {
    while (isToCompare && target.wantsChanges && !isOver()) {
      isToCompare = false
      comparing = ''
      while (comparing !== null && !isOver()) {
        if (lagging.isHalfFull()) await sleep(RETRY_MS, undefined, { ref: false })
        else comparing = await comparePage(comparing)
      }
    }
    comparing = null
  }

  async function comparePage(after: string): Promise<string | null> {
    try {
      const { places, next } = await positions.behind(key, after)
      for (const { chatId, head, seen, at } of places) {
        lagging.note(chatId, head, { seen, ...(at !== null && { atMs: Date.parse(at) }) })
      }
      pump()
      return next
    } catch (error) {
      await retry(error)
      return after
    }
  }

  /** The database could not be read: says so once, and waits a moment. */
  async function retry(error: unknown): Promise<void> {
    if (!isStuck && !isOver())
      logger.warn({ err: error, hook: target.id }, 'what a hook is to be told could not be read yet')
    isStuck = true
    await sleep(RETRY_MS, undefined, { ref: false })
  }

  if (!target.isDisabled) compare()

  return {
    compare,

    /** A chat went on, or may have. */
    hear(chatId: string, head: number | null, seen?: number): void {
      if (!target.wantsChanges || target.isDisabled || (head !== null && head <= (known.get(chatId) ?? -1))) return
      if (!lagging.note(chatId, head, seen === undefined ? {} : { seen })) isToCompare = true
      else if (!isReading) setImmediate(pump)
    },

    /** The hook as it is now. */
    update(next: Target): void {
      const before = target
      target = next
      const isOther = next.url !== before.url || next.secrets.join() !== before.secrets.join()
      if (isOther || (before.isDisabled && !next.isDisabled)) {
        gate.reset()
        lagging.wake(true)
      }
      const isWider = [...next.events].some((name) => !before.events.has(name))
      if (next.replays !== before.replays || isWider || (before.isDisabled && !next.isDisabled)) compare()
      if (next.hasNotices) noticeTeller.note()
      pump()
    },

    /** Goes on with what has waited long enough. */
    tick(): void {
      lagging.wake()
      if (isToCompare && comparing === null) void compareAll()
      pump()
    },

    status(): Status & { oldestMs: number | null } {
      const { lag, oldestMs } = lagging.sum()
      return {
        key,
        lag,
        oldestMs,
        oldestAt: oldestMs === null ? null : toTime(oldestMs),
        failures: gate.failures(),
        ...told,
      }
    },

    /** Begins nothing more. */
    stop(): void {
      isStopped = true
    },

    /** Settles when what is under way is done. */
    idle: (): Promise<unknown> => Promise.all(underWay),

    id: () => target.id,
    sizes: () => ({ lagging: lagging.size(), known: known.size }),
  }
}
