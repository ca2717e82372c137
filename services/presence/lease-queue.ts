import { setTimeout as sleep } from 'node:timers/promises'
import type { PresenceRecord } from './leases.js'

/** A lease to be opened, or closed with a grace. */
export interface LeaseChange {
  userId: string
  connectionId: string
  /** Null for one that is opened. */
  graceMs: number | null
  /** Whether it was tried before: what became of that is not known. */
  isRetry?: boolean
}

export interface LeaseQueueOptions {
  /** Stores some changes, or none: then it only says that the node lives. Answers the records that changed. */
  apply(changes: LeaseChange[]): Promise<PresenceRecord[]>
  /** How long changes gather while one batch follows another, in milliseconds. */
  lingerMs: number
}

const MAX_BATCH = 1_000

interface Caller {
  resolve(records: PresenceRecord[]): void
  reject(error: unknown): void
}

/**
 * Gathers what becomes of leases: one batch at a time, and the next takes what has come meanwhile, of each connection the last. What changed is
 * answered to one caller of its batch. A batch that fails tells its callers, and goes again with the next.
 */
export function createLeaseQueue({ apply, lingerMs }: LeaseQueueOptions) {
  let waiting = new Map<string, LeaseChange>()
  let callers: Caller[] = []
  /** Records that changed while nobody waited for them. */
  let unclaimed: PresenceRecord[] = []
  /** What is being stored, and who waits for the end of that, whatever comes of it. */
  let running: LeaseChange[] = []
  let onlookers: (() => void)[] = []
  let isRunning = false
  let endedAt = Number.NEGATIVE_INFINITY

  function putBack(batch: LeaseChange[]): void {
    const newer = waiting
    waiting = new Map(batch.map((change) => [change.connectionId, { ...change, isRetry: true }]))
    for (const [connectionId, change] of newer) waiting.set(connectionId, change)
  }

  async function runOne(): Promise<void> {
    const batch = [...waiting.values()].slice(0, MAX_BATCH)
    for (const { connectionId } of batch) waiting.delete(connectionId)
    running = batch
    // Of what is longer than a batch the rest follows at once: until then all but the first wait.
    const isAll = waiting.size === 0
    const answered = callers.splice(0, isAll ? callers.length : 1)
    try {
      const changed = await apply(batch)
      if (answered.length === 0) unclaimed.push(...changed)
      for (const [i, { resolve }] of answered.entries()) resolve(i === 0 ? changed : [])
    } catch (error) {
      putBack(batch)
      const failed = [...answered, ...callers]
      callers = []
      for (const { reject } of failed) reject(error)
      throw error
    } finally {
      running = []
    }
  }

  function release(): void {
    const waited = onlookers
    onlookers = []
    for (const look of waited) look()
  }

  async function run(): Promise<void> {
    const pause = lingerMs - (performance.now() - endedAt)
    if (pause > 0) await sleep(lingerMs)
    try {
      do {
        await runOne()
        release()
      } while (waiting.size > 0 || callers.length > 0)
    } catch {
      // Whoever waited knows; what is to be stored waits for the next to come.
    }
    endedAt = performance.now()
    isRunning = false
    release()
  }

  function flush(): Promise<PresenceRecord[]> {
    return new Promise((resolve, reject) => {
      callers.push({ resolve, reject })
      if (isRunning) return
      isRunning = true
      // What comes in the same turn goes together.
      setImmediate(() => void run())
    })
  }

  return {
    /** Stores a change soon. */
    add(change: LeaseChange): Promise<PresenceRecord[]> {
      waiting.delete(change.connectionId)
      waiting.set(change.connectionId, change)
      return flush()
    },

    /** Stores what waits, and says that the node lives. */
    flush,

    /** Whether an opening waits, so that it will be told of by itself. */
    isOpening: (connectionId: string): boolean => waiting.get(connectionId)?.graceMs === null,

    /** What changed while nobody waited for it; it is answered once. */
    takeUnclaimed(): PresenceRecord[] {
      const records = unclaimed
      unclaimed = []
      return records
    },

    /**
     * Waits until what is known here of some users is stored, or could not be: whoever then reads them sees what came before. What comes
     * meanwhile is not waited for.
     */
    async settle(userIds: Iterable<string>): Promise<void> {
      const asked = new Set(userIds)
      const isPending = () => isRunning && [...running, ...waiting.values()].some(({ userId }) => asked.has(userId))
      for (let batches = 0; batches < 2 && isPending(); batches += 1) {
        await new Promise<void>((resolve) => onlookers.push(resolve))
      }
    },

    size: (): number => waiting.size,
  }
}
