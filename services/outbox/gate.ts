/** How long to wait after so many failures on end: from a second on, twice as long each time, up to `mostMs`; of that, at random, at least half. */
export function backoff(failures: number, mostMs: number, random: () => number = Math.random): number {
  const most = Math.min(mostMs, FIRST_MS * 2 ** Math.min(failures - 1, 30))
  return most * (0.5 + random() / 2)
}

const FIRST_MS = 1_000
/** Requests of one hook under way at once: all that there is while it answers, fewer the more it fails. */
const MOST = 16
/** So many failures on end, and the hook is let rest; then one request at a time finds out whether it is back. */
const PATIENCE = 3
const LONGEST_REST_MS = 15_000

export type Gate = ReturnType<typeof createGate>

/** How much one hook is asked at once. Law: a hook that fails is asked less and less, and one that is back is asked as before. */
export function createGate(onBack: () => void, now: () => number = () => performance.now()) {
  let limit = MOST
  let inFlight = 0
  let failures = 0
  let restUntilMs = 0

  return {
    /** How many more requests may begin now. */
    free(): number {
      if (now() < restUntilMs) return 0
      return Math.max(0, Math.floor(limit) - inFlight)
    },

    begin(): void {
      inFlight += 1
    },

    end(isTaken: boolean): void {
      inFlight -= 1
      if (isTaken) {
        const wasAway = failures >= PATIENCE
        failures = 0
        restUntilMs = 0
        limit = Math.min(MOST, limit + 1)
        if (wasAway) onBack()
        return
      }
      failures += 1
      limit = Math.max(1, limit / 2)
      if (failures >= PATIENCE) restUntilMs = now() + backoff(failures - PATIENCE + 1, LONGEST_REST_MS)
    },

    /** What a stop has cut short says nothing of the hook. */
    forget(): void {
      inFlight -= 1
    },

    /** It may be another hook now: asks as if it had never failed. */
    reset(): void {
      failures = 0
      restUntilMs = 0
      limit = MOST
    },

    failures: () => failures,
  }
}
