import type { Bus, Written } from '../bus/index.js'
import type { Moved } from './ports.js'

/** Chats in which messages are due; `moved` is null where that cannot be said, so that all chats are to be compared. */
export interface Due {
  moved: Moved[] | null
  /** All of it is decided: it is not answered again. */
  done(): void
}

/**
 * In which chats messages were stored that are old enough to be told of. Laws:
 * 1. What is answered was stored at least `afterMs` ago, by no clock that can be put back.
 * 2. Each message is in one answer at least, unless the answer is that all chats are to be compared: so at the first, where nobody knows what was
 *    before, and wherever something may have been missed.
 */
export interface Moves {
  /** What became due since the last answer that was done; null for nothing. */
  due(): Promise<Due | null>
  stop(): void
}

export interface MemoryMovesOptions {
  bus: Pick<Bus, 'subscribe'>
  afterMs: number
  now?: () => number
}

interface Heard extends Moved {
  dueAt: number
}

/** So many chats are kept apart; of more it is said that all are to be compared. */
const MAX_HEARD = 200_000

/** The version for one process that writes alone: what it has heard from its bus. What it was before it began is compared, once that is old enough. */
export function createMemoryMoves({ bus, afterMs, now = () => performance.now() }: MemoryMovesOptions): Moves {
  const heard: Heard[] = []
  /** When all chats are to be compared. */
  let compareAt: number | null = now() + afterMs

  const unsubscribe = bus.subscribe('changes', (written) => {
    for (const one of written) heard.push(...dueOf(one, now() + afterMs))
    if (heard.length <= MAX_HEARD) return
    heard.length = 0
    compareAt = now() + afterMs
  })

  return {
    async due() {
      const asked = compareAt
      if (asked !== null && asked > now()) return null
      if (asked !== null) {
        const done = () => {
          if (compareAt === asked) compareAt = null
        }
        return { moved: null, done }
      }
      const fresh = heard.findIndex(({ dueAt }) => dueAt > now())
      const count = fresh === -1 ? heard.length : fresh
      const last = heard[count - 1]
      if (!last) return null
      const done = () => {
        // What is heard meanwhile comes behind; a flood meanwhile empties all.
        if (heard[count - 1] === last) heard.splice(0, count)
      }
      return { moved: merge(heard.slice(0, count)), done }
    },
    stop: unsubscribe,
  }
}

/** New messages come with their seqs; of a commit that was never answered nobody knows. */
function dueOf({ chatId, range, changes = [] }: Written, dueAt: number): Heard[] {
  if (!range) return [{ chatId, firstSeq: null, throughSeq: null, dueAt }]
  const seqs = changes.flatMap(({ kind, message }) => (kind === 'message_created' && message ? [message.seq] : []))
  const [firstSeq] = seqs
  return firstSeq === undefined ? [] : [{ chatId, firstSeq, throughSeq: seqs.at(-1) ?? firstSeq, dueAt }]
}

function merge(heard: Heard[]): Moved[] {
  const merged = new Map<string, Moved>()
  for (const { chatId, firstSeq, throughSeq } of heard) {
    const before = merged.get(chatId)
    const isKnown = firstSeq !== null && throughSeq !== null && (!before || before.throughSeq !== null)
    merged.set(chatId, {
      chatId,
      firstSeq: isKnown ? Math.min(before?.firstSeq ?? firstSeq, firstSeq) : null,
      throughSeq: isKnown ? Math.max(before?.throughSeq ?? throughSeq, throughSeq) : null,
    })
  }
  return [...merged.values()]
}
