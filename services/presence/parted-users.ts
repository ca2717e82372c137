import type { LeaseChange } from './lease-queue.js'

/** How long a leave-taking is kept above its grace: by then somebody has swept. */
const MARGIN_MS = 5_000

export type PartedUsers = ReturnType<typeof createPartedUsers>

/**
 * The connections that were closed a moment ago and whose users may be in their grace. If the store loses everything just then, nobody else
 * would know that they have still to be told offline.
 */
export function createPartedUsers() {
  const parted = new Map<string, { change: LeaseChange; until: number }>()

  /** What is over goes, the oldest first; nothing is to be searched, for most have the same grace. */
  function prune(): void {
    const now = performance.now()
    for (const [userId, { until }] of parted) {
      if (until > now) break
      parted.delete(userId)
    }
  }

  return {
    prune,

    add(change: LeaseChange): void {
      prune()
      parted.delete(change.userId)
      parted.set(change.userId, { change, until: performance.now() + (change.graceMs ?? 0) + MARGIN_MS })
    },

    /** The last leave-taking of each. */
    all(): LeaseChange[] {
      prune()
      return Array.from(parted.values(), ({ change }) => change)
    },

    size: (): number => parted.size,
  }
}
