import type { Database } from '../db/index.js'
import { COUNT } from './lease-statements.js'

export interface OnlineCountOptions {
  db: Pick<Database, 'run'>
  /** A count is kept so many times as long as it took; counting a million takes a tenth of a second. */
  cost?: number | undefined
}

/** How many the public knows to be online, and how many are. */
export interface OnlineCounts {
  public: number
  here: number
}

const COST = 50
const LIMIT_MS = 2_000

/** Counts those online, seldom; while the database is away, the last count holds. */
export function createOnlineCount({ db, cost = COST }: OnlineCountOptions): () => Promise<OnlineCounts> {
  let last: OnlineCounts = { public: 0, here: 0 }
  let counting: Promise<OnlineCounts> | undefined
  let freshUntil = Number.NEGATIVE_INFINITY

  async function count(): Promise<OnlineCounts> {
    const startedAt = performance.now()
    try {
      const [row] = await db.run<{ public: number; here: number }>('presence_count', COUNT, [], { withinMs: LIMIT_MS })
      last = row ?? last
    } catch {
      // Health asks for this, and says itself that the database is away.
    }
    const endedAt = performance.now()
    freshUntil = endedAt + (endedAt - startedAt) * cost
    counting = undefined
    return last
  }

  return async () => {
    if (performance.now() < freshUntil) return last
    counting ??= count()
    return counting
  }
}
