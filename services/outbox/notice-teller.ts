import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import { backoff, type Gate } from './gate.js'
import type { Notice, Notices } from './notices.js'
import type { Telling } from './post.js'

export interface NoticeTellerOptions {
  hookKey: string
  notices: Notices
  gate: Pick<Gate, 'free'>
  /** Sends something; answers whether it was taken. */
  send(telling: Telling): Promise<boolean>
  isOver(): boolean
  logger: Logger
}

const AT_ONCE = 4
const LONGEST_WAIT_MS = 3_600_000
const RETRY_MS = 500
/** So many may wait after a failure, and no other is begun until one of them was taken. */
const MOST_WAITING = 1_000

/** Tells one hook what is in no chat's log, the oldest first; one that fails holds up no other. */
export function createNoticeTeller({ hookKey, notices, gate, send, isOver, logger }: NoticeTellerOptions) {
  /** Those that failed: how often, and until when they wait. */
  const waiting = new Map<string, { failures: number; dueMs: number }>()
  const busy = new Set<string>()
  let mayBeMore = true
  let isReading = false

  async function pump(): Promise<void> {
    if (isReading || isOver()) return
    isReading = true
    while (!isOver() && hasSome() && gate.free() > 0 && busy.size < AT_ONCE) await begin()
    isReading = false
  }

  const dueIds = () =>
    [...waiting].filter(([id, { dueMs }]) => dueMs <= performance.now() && !busy.has(id)).map(([id]) => id)
  const hasSome = () => (mayBeMore && waiting.size < MOST_WAITING) || dueIds().length > 0

  async function begin(): Promise<void> {
    try {
      const due = new Set(dueIds())
      const without = [...busy, ...waiting.keys()].filter((id) => !due.has(id))
      const room = Math.min(gate.free(), AT_ONCE - busy.size)
      mayBeMore = false
      const some = await notices.load(hookKey, without, room)
      if (some.length === room) mayBeMore = true
      // What is due and not there any more was taken away with its hook, or by another node.
      if (some.length === 0) for (const id of due) waiting.delete(id)
      for (const notice of some) {
        busy.add(notice.id)
        void tell(notice)
      }
    } catch (error) {
      mayBeMore = true
      logger.warn({ err: error }, 'what hooks are to be told could not be read yet')
      await sleep(RETRY_MS, undefined, { ref: false })
    }
  }

  async function tell(notice: Notice): Promise<void> {
    const { id, type } = notice
    try {
      const data = await notices.complete(notice)
      const isTaken = data === null || (await send({ type, data, of: ['notice', id] }))
      if (isTaken) await notices.done(id)
      if (isTaken) waiting.delete(id)
      else wait(id)
    } catch (error) {
      logger.warn({ err: error, type }, 'a hook could not be told something yet')
      wait(id)
    }
    busy.delete(id)
    void pump()
  }

  function wait(id: string): void {
    const failures = (waiting.get(id)?.failures ?? 0) + 1
    waiting.set(id, { failures, dueMs: performance.now() + backoff(failures, LONGEST_WAIT_MS) })
  }

  return {
    pump,

    /** There may be some more. */
    note(): void {
      mayBeMore = true
    },
  }
}
