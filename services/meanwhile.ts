/** How long things are kept, at least, and how many at most: who reads what they changed has begun later than that. */
const KEPT_MS = 60_000
const MAX_KEPT = 10_000

interface Heard<T> {
  item: T
  atMs: number
}

/**
 * What was heard lately, for those who were reading how things are and could not be told yet: what they read may be older. Nobody says when
 * they are done; what is old goes by itself.
 */
export function createMeanwhile<T>() {
  // Two halves, the older of which goes as a whole: one list for ever would keep what it held until V8's next major collection.
  let older: Heard<T>[] = []
  let newer: Heard<T>[] = []

  return {
    hear(item: T): void {
      const atMs = performance.now()
      if (newer.length >= MAX_KEPT / 2 || atMs - (newer[0]?.atMs ?? atMs) > KEPT_MS) {
        older = newer
        newer = []
      }
      newer.push({ item, atMs })
    },

    /** What was heard since a time of `performance.now()`, in order. */
    since(beganMs: number): T[] {
      // From the end: whoever comes in asks, and mostly there is nothing.
      const own = (half: Heard<T>[]) => half.slice(half.findLastIndex(({ atMs }) => atMs < beganMs) + 1)
      return [...own(older), ...own(newer)].map(({ item }) => item)
    },
  }
}
