import { TokenBucket } from 'limiter'
import type { Budget } from '../../contract/limits.js'

/** A client's own timer may be early by a millisecond. */
const EARLY_MS = 1

export type Buckets = ReturnType<typeof createBuckets>

/** The token buckets of one budget, by key. One that nobody touched for as long as an empty one needs is full, and is forgotten. */
export function createBuckets({ rate, burst }: Budget) {
  let touched = new Map<string, TokenBucket>()
  let older = new Map<string, TokenBucket>()

  function forget(): void {
    older = touched
    touched = new Map()
  }
  const timer = setInterval(forget, (burst * 1_000) / rate + EARLY_MS).unref()

  function find(key: string): TokenBucket {
    let bucket = touched.get(key) ?? older.get(key)
    if (!bucket) {
      bucket = new TokenBucket({ bucketSize: burst, tokensPerInterval: rate, interval: 'second' })
      bucket.content = burst
    }
    touched.set(key, bucket)
    return bucket
  }

  /** What costs more than a bucket holds costs all of it. */
  const price = (cost: number): number => Math.min(cost, burst)

  return {
    /** How long until a bucket can pay, in milliseconds; 0 when it can. */
    waitMs(key: string, cost = 1): number {
      const waitMs = find(key).getWaitTime(price(cost))
      return waitMs === 0 ? 0 : waitMs + EARLY_MS
    },

    /** Takes what something costs out of a bucket that can pay. */
    pay: (key: string, cost = 1): boolean => find(key).tryRemoveTokens(price(cost)),

    /** How many tokens a bucket had when it was last looked at. */
    left: (key: string): number => Math.floor(find(key).content),

    /** How many buckets are not known to be full. */
    size: (): number => new Set([...touched.keys(), ...older.keys()]).size,

    forget,
    stop: (): void => clearInterval(timer),
  }
}
