import { isOutcomeUnknown } from '../db/errors.js'
import { STATEMENT_MS } from '../db/limits.js'

/** By then a server has done what it was asked, or ended it; the rest is for the way there. */
const LATER_MS = STATEMENT_MS + 500

export type Doubts = ReturnType<typeof createDoubts>

/**
 * Changes that may have happened although no answer came. Law: those who must know of one look at once, and again when it can no longer
 * happen: a server may do what it was asked after its asker has given up.
 */
export function createDoubts() {
  const timers = new Set<NodeJS.Timeout>()

  /** Has others look, now and later. */
  function tell(look: () => void): void {
    look()
    const timer = setTimeout(() => {
      timers.delete(timer)
      look()
    }, LATER_MS).unref()
    timers.add(timer)
  }

  return {
    tell,

    /** What a change answers; where it may have happened although that never came, others look. */
    async about<T>(change: Promise<T>, look: () => void): Promise<T> {
      try {
        return await change
      } catch (error) {
        if (isOutcomeUnknown(error)) tell(look)
        throw error
      }
    },

    stop(): void {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
