import { backoff } from './gate.js'
import type { Place } from './positions.js'

/** A chat in which a hook is behind. */
export interface Lagging {
  chatId: string
  head: number
  seen: number
  /** When what it has not heard was written, the oldest of it. */
  atMs: number
  failures: number
  /** When it may be tried again, on the clock of `performance.now()`. */
  dueMs: number
  state: 'ready' | 'waiting' | 'busy'
  /** Whether it went on while it was busy, and whether it may have, nobody knows how far. */
  wasNoted: boolean
  mayBeMore: boolean
}

/** So many chats are kept at once; of more, the comparison of heads finds the others when there is room. */
const MOST = 10_000
/** Chats of which it is kept how far they were told, so that what is heard twice is not looked up. */
const MOST_KNOWN = 10_000
const LONGEST_WAIT_MS = 3_600_000

/** The chats in which one hook is behind: which can be told now, which wait after a failure, which are being told. */
export function createLagging(now: () => number = () => performance.now()) {
  const all = new Map<string, Lagging>()
  const ready = new Set<Lagging>()
  const waiting = new Set<Lagging>()
  const told = new Map<string, number>()

  function makeReady(chat: Lagging): void {
    waiting.delete(chat)
    chat.state = 'ready'
    ready.add(chat)
  }

  return {
    /** A chat went on, or may have, where no head is told; false where there is no room to keep that. */
    note(chatId: string, head: number | null, { seen = (head ?? 1) - 1, atMs = Date.now() } = {}): boolean {
      const known = all.get(chatId)
      if (known) {
        known.head = Math.max(known.head, head ?? 0)
        known.wasNoted = true
        known.mayBeMore ||= head === null
        return true
      }
      if (all.size >= MOST) return false
      const chat: Lagging = {
        chatId,
        head: head ?? 0,
        seen,
        atMs,
        failures: 0,
        dueMs: 0,
        state: 'ready',
        wasNoted: false,
        mayBeMore: false,
      }
      all.set(chatId, chat)
      ready.add(chat)
      return true
    },

    /** Takes some that can be told now, the longest ready first. */
    take(count: number): Lagging[] {
      const taken: Lagging[] = []
      for (const chat of ready) {
        if (taken.length >= count) break
        ready.delete(chat)
        chat.state = 'busy'
        chat.wasNoted = false
        chat.mayBeMore = false
        taken.push(chat)
      }
      return taken
    },

    /** What the database says of one that is being told. */
    learn(chat: Lagging, { head, seen, at }: Place): void {
      // What was heard before may have been lost since, by a server that took over.
      chat.head = chat.wasNoted ? Math.max(chat.head, head) : head
      chat.seen = seen
      if (at !== null) chat.atMs = Date.parse(at)
    },

    /** Whether a revision of a chat is known to have been told. */
    isTold: (chatId: string, revision: number | null): boolean =>
      revision !== null && revision <= (told.get(chatId) ?? -1),

    /** What was told may be told again: nothing is known. */
    forget: (): void => told.clear(),

    /** It was told up to a revision: it is behind no more, or goes behind the others. */
    tell(chat: Lagging, through: number): void {
      told.delete(chat.chatId)
      told.set(chat.chatId, through)
      const [oldest] = told.size > MOST_KNOWN ? told.keys() : []
      if (oldest !== undefined) told.delete(oldest)
      chat.seen = through
      chat.failures = 0
      if (chat.mayBeMore || through < chat.head) makeReady(chat)
      else all.delete(chat.chatId)
    },

    /** There is no such chat, or not yet. */
    drop: (chat: Lagging): void => void all.delete(chat.chatId),

    /** It is ready again, as it was. */
    putBack: makeReady,

    /** It could not be told: it waits. */
    fail(chat: Lagging): void {
      chat.failures += 1
      chat.dueMs = now() + backoff(chat.failures, LONGEST_WAIT_MS)
      chat.state = 'waiting'
      waiting.add(chat)
    },

    /** Those are ready whose wait is over; or all of them. */
    wake(isAll = false): void {
      const at = now()
      for (const chat of waiting) if (isAll || chat.dueMs <= at) makeReady(chat)
    },

    hasReady: () => ready.size > 0,
    isHalfFull: () => all.size > MOST / 2,
    sizes: () => ({ lagging: all.size, told: told.size }),

    /** How many revisions are to be told, and when the oldest of them was written; of more chats than are kept, of those that are. */
    sum(): { lag: number; oldestMs: number | null } {
      let lag = 0
      let oldestMs: number | null = null
      for (const { head, seen, atMs } of all.values()) {
        lag += Math.max(0, head - seen)
        oldestMs = Math.min(oldestMs ?? atMs, atMs)
      }
      return { lag, oldestMs }
    },
  }
}

export type LaggingChats = ReturnType<typeof createLagging>
