import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { toTime } from '../time.js'
import { createComparison } from './comparison.js'
import { createGate } from './gate.js'
import type { Status, Target } from './hooks.js'
import { createLagging, type Lagging } from './lagging.js'
import type { createMover } from './mover.js'
import { createNoticeTeller } from './notice-teller.js'
import type { Notices } from './notices.js'
import type { createPages, Page } from './pages.js'
import type { createPositions, Place } from './positions.js'
import type { Poster, Telling } from './post.js'
import { createSending } from './sending.js'

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
  const underWay = new Set<Promise<unknown>>()
  let isReading = false
  let isStopped = false
  let isStuck = false

  const isOver = () => signal.aborted || isStopped || target.isDisabled
  const sending = createSending({ gate, poster, logger, metrics, signal, isOver, onGone })
  const noticeTeller = createNoticeTeller({ hookKey: key, notices, gate, send, isOver, logger })
  const comparison = createComparison({
    ...{ hookKey: key, behind: positions.behind, lagging, retry, onFound: pump },
    isOver: () => isOver() || !target.wantsChanges,
  })

  async function onGone(): Promise<void> {
    target = { ...target, isDisabled: true }
    await disable(key)
  }

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

  /** The database could not be read: says so once, and waits a moment. */
  async function retry(error: unknown): Promise<void> {
    if (!isStuck && !isOver())
      logger.warn({ err: error, hook: target.id }, 'a hook’s part of the log could not be read yet')
    isStuck = true
    await sleep(RETRY_MS, undefined, { ref: false })
  }

  /** Reads how far some chats were told, and what follows; then sends each its page. */
  async function begin(chats: Lagging[]): Promise<void> {
    const ids = chats.map(({ chatId }) => chatId)
    const places = new Map((await positions.load(key, ids)).map((place) => [place.chatId, place]))
    const behind = [...places.values()].filter(({ seen, head }) => head > seen)
    const pages = behind.length > 0 ? await readPages(target, behind) : new Map<string, Page>()
    for (const chat of chats) {
      const place = places.get(chat.chatId)
      const page = pages.get(chat.chatId)
      if (!place) lagging.drop(chat)
      else {
        lagging.learn(chat, place)
        if (place.head <= place.seen) lagging.tell(chat, place.seen)
        else if (page) {
          const work = tell(chat, place, page).finally(() => underWay.delete(work))
          underWay.add(work)
        } else lagging.putBack(chat)
      }
    }
  }

  async function tell(chat: Lagging, place: Place, { through, data }: Page): Promise<void> {
    const { chatId, revision, seen, replays } = place
    if (data && !(await send({ type: 'chat.changes', data, of: [replays, chatId, data.from, through] }))) {
      if (signal.aborted) lagging.putBack(chat)
      else lagging.fail(chat)
      return
    }
    const next = { revision: data ? through : revision, seen: through }
    if (await mover.move({ hookKey: key, chatId, oldRevision: revision, oldSeen: seen, ...next }))
      lagging.tell(chat, through)
    else lagging.putBack(chat)
    pump()
  }

  function send(telling: Telling): Promise<boolean> {
    return sending.send(target, telling).finally(pump)
  }

  /** Compares all chats with what the hook was told, soon. */
  function compare(): void {
    lagging.forget()
    comparison.want()
    comparison.begin()
  }

  if (!target.isDisabled) compare()

  return {
    compare,

    /** A chat went on, or may have, where no head is told. A hook that can be asked nothing just now is asked when a request ends, or by `tick`. */
    hear(chatId: string, head: number | null, seen?: number): void {
      if (!target.wantsChanges || target.isDisabled || lagging.isTold(chatId, head)) return
      if (!lagging.note(chatId, head, seen === undefined ? {} : { seen })) comparison.want()
      else if (!isReading && lagging.hasReady() && gate.free() > 0) setImmediate(pump)
    },

    /** The hook as it is now. */
    update(next: Target): void {
      const before = target
      target = next
      const isBack = before.isDisabled && !next.isDisabled
      if (isBack || next.url !== before.url || next.secrets.join() !== before.secrets.join()) {
        gate.reset()
        lagging.wake(true)
      }
      const isWider = [...next.events].some((name) => !before.events.has(name))
      if (isBack || isWider || next.replays !== before.replays) compare()
      if (next.hasNotices) noticeTeller.note()
      pump()
    },

    /** Goes on with what has waited long enough. */
    tick(): void {
      lagging.wake()
      comparison.begin()
      pump()
    },

    status(): Status & { oldestMs: number | null } {
      const { lag, oldestMs } = lagging.sum()
      return { key, lag, oldestMs, oldestAt: oldestMs === null ? null : toTime(oldestMs), ...sending.status() }
    },

    /** Begins nothing more. */
    stop(): void {
      isStopped = true
    },

    /** Settles when what is under way is done. */
    idle: (): Promise<unknown> => Promise.all(underWay),

    id: () => target.id,
    sizes: lagging.sizes,
  }
}
