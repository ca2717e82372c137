/** Pushes under way at once, and how many may wait for their turn. */
const AT_ONCE = 64
const MOST_WAITING = 10_000
/** So many failures on end of one origin, and it is let rest. */
const MAX_FAILURES = 5
const REST_MS = 30_000
const MOST_ORIGINS = 1_000

interface Origin {
  failures: number
  restUntil: number
}

/** How many pushes go at once, and which services are let rest, for they fail each time. */
export function createPatience(now: () => number = () => performance.now()) {
  const waiting: (() => void)[] = []
  const origins = new Map<string, Origin>()
  let running = 0

  return {
    /** Settles when it is one's turn; false where too many wait. */
    async take(): Promise<boolean> {
      if (running < AT_ONCE) {
        running += 1
        return true
      }
      if (waiting.length >= MOST_WAITING) return false
      await new Promise<void>((resolve) => waiting.push(resolve))
      return true
    },

    /** Gives the turn to who waits. */
    give(): void {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    },

    isResting: (origin: string): boolean => (origins.get(origin)?.restUntil ?? 0) > now(),

    /** Notes how it went; each failure after the last of a row makes the rest anew, until one succeeds. */
    note(origin: string, isWell: boolean): void {
      if (isWell) {
        origins.delete(origin)
        return
      }
      if (origins.size >= MOST_ORIGINS) origins.clear()
      const failures = (origins.get(origin)?.failures ?? 0) + 1
      origins.set(origin, { failures, restUntil: failures >= MAX_FAILURES ? now() + REST_MS : 0 })
    },
  }
}
