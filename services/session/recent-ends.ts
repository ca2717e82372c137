import type { End } from '../bus/index.js'

/** Longer than a handshake may wait for the database. */
const KEPT_MS = 15_000

/**
 * When all sockets of users were last ended, for a while: whoever was on the way then may have been found in the database before that was so, and
 * was not yet known here when it was told.
 */
export function createRecentEnds(now = () => performance.now()) {
  const toldAt = new Map<string, number>()

  function forget(): void {
    const before = now() - KEPT_MS
    for (const [userId, atMs] of toldAt) {
      if (atMs > before) return
      toldAt.delete(userId)
    }
  }

  return {
    /** All sockets of a user were ended; what ends some connections, or keeps a user out by itself, does not count. */
    note({ userId, code, connectionIds, ageMs = 0 }: End): void {
      forget()
      if (connectionIds || code === 'ABUSE') return
      const atMs = Math.max(toldAt.get(userId) ?? Number.NEGATIVE_INFINITY, now() - ageMs)
      toldAt.delete(userId)
      toldAt.set(userId, atMs)
    },

    /** Whether that was so since some time, as performance.now() tells it. */
    since: (userId: string, sinceMs: number): boolean => (toldAt.get(userId) ?? Number.NEGATIVE_INFINITY) >= sinceMs,

    /** How many are kept. */
    size: (): number => toldAt.size,
  }
}
