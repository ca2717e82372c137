import type { Budget } from '../../contract/limits.js'

/** What rounding may add to a wait; a client's own timer may be early by a millisecond. */
const ROUNDING_MS = 1e-6
const EARLY_MS = 1

export type Buckets = ReturnType<typeof createBuckets>

/**
 * The token buckets of one budget, by key. All that is kept of a bucket is when it will be full again (the generic cell rate algorithm), so
 * that nothing ticks. One that was not touched for as long as an empty one needs is full, and is forgotten.
 */
export function createBuckets({ rate, burst }: Budget, now: () => number = () => performance.now()) {
  const tokenMs = 1_000 / rate
  const emptyMs = burst * tokenMs
  let touched = new Map<string, number>()
  let older = new Map<string, number>()

  function forget(): void {
    older = touched
    touched = new Map()
  }
  const timer = setInterval(forget, emptyMs + EARLY_MS).unref()

  /** When a bucket would be full again if it paid this now; what costs more than a bucket holds costs all of it. */
  function fullAfter(key: string, cost: number, atMs: number): number {
    const fullAtMs = touched.get(key) ?? older.get(key) ?? 0
    return Math.max(fullAtMs, atMs) + Math.min(cost, burst) * tokenMs
  }

  return {
    /** How long until a bucket can pay, in milliseconds; 0 when it can. */
    waitMs(key: string, cost = 1): number {
      const atMs = now()
      const waitMs = fullAfter(key, cost, atMs) - atMs - emptyMs
      return waitMs <= ROUNDING_MS ? 0 : Math.ceil(waitMs) + EARLY_MS
    },

    /** Takes what something costs out of a bucket. */
    pay(key: string, cost = 1): void {
      touched.set(key, fullAfter(key, cost, now()))
    },

    /** How many buckets are not known to be full. */
    size: (): number => touched.size + older.size,

    forget,
    stop: (): void => clearInterval(timer),
  }
}
