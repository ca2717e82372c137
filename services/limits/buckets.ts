import { TokenBucket } from 'limiter'
import type { Budget } from '../../contract/limits.js'

/** A client's own timer may be early by a millisecond. */
const EARLY_MS = 1
/** What is taken from a bucket is told when it is more than what comes back in this time: small sums would be most of what is told. */
const TOLD_ABOVE_MS = 125

export type Buckets = ReturnType<typeof createBuckets>

interface Entry {
  bucket: TokenBucket
  /** Tokens taken here that have not been told of. */
  untold: number
}

/** The token buckets of one budget, by key. One that nobody touched for as long as an empty one needs is full, and is forgotten. */
export function createBuckets({ rate, burst }: Budget) {
  let touched = new Map<string, Entry>()
  let older = new Map<string, Entry>()
  /** Keys with more untold than need be. */
  let due = new Set<string>()
  const toldAbove = (rate * TOLD_ABOVE_MS) / 1_000

  function forget(): void {
    older = touched
    touched = new Map()
  }
  const timer = setInterval(forget, (burst * 1_000) / rate + EARLY_MS).unref()

  function find(key: string): Entry {
    let entry = touched.get(key) ?? older.get(key)
    if (!entry) {
      entry = {
        bucket: new TokenBucket({ bucketSize: burst, tokensPerInterval: rate, interval: 'second' }),
        untold: 0,
      }
      entry.bucket.content = burst
    }
    touched.set(key, entry)
    return entry
  }

  /** What costs more than a bucket holds costs all of it. */
  const price = (cost: number): number => Math.min(cost, burst)

  return {
    /** How long until a bucket can pay, in milliseconds; 0 when it can. */
    waitMs(key: string, cost = 1): number {
      const waitMs = find(key).bucket.getWaitTime(price(cost))
      return waitMs === 0 ? 0 : waitMs + EARLY_MS
    },

    /** Takes what something costs out of a bucket that can pay. */
    pay(key: string, cost = 1): boolean {
      const entry = find(key)
      if (!entry.bucket.tryRemoveTokens(price(cost))) return false
      entry.untold += price(cost)
      if (entry.untold > toldAbove) due.add(key)
      return true
    },

    /** What was taken here and not told of yet, by key. */
    tell(): [key: string, tokens: number][] {
      const told = [...due].map((key): [string, number] => {
        const entry = find(key)
        const { untold } = entry
        entry.untold = 0
        return [key, untold]
      })
      due = new Set()
      return told
    },

    /** Takes what was taken elsewhere; a bucket then owes no more than it holds. */
    drain(key: string, tokens: number): void {
      const { bucket } = find(key)
      bucket.drip()
      bucket.content = Math.max(bucket.content - tokens, -burst)
    },

    /** How many tokens a bucket had when it was last looked at. */
    left: (key: string): number => Math.max(0, Math.floor(find(key).bucket.content)),

    /** How many buckets are not known to be full. */
    size: (): number => new Set([...touched.keys(), ...older.keys()]).size,

    forget,
    stop: (): void => clearInterval(timer),
  }
}
