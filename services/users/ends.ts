import type { Bus } from '../bus/index.js'
import type { Database } from '../db/index.js'
import { createGatherer } from '../gather.js'
import type { UserEnd } from '../log/recent.js'
import type { Logger } from '../logger.js'

export interface EndsOptions {
  db: Pick<Database, 'run'>
  bus: Pick<Bus, 'subscribe'>
  logger: Logger
}

/**
 * Keeps in the database what this node has told of ends that stand nowhere else, for nodes that do not hear of them; while the database is away, they
 * wait. Revocations and tombstones leave their own rows.
 */
export function createEnds({ db, bus, logger }: EndsOptions) {
  const gatherer = createGatherer<{ userId: string; code: UserEnd['code']; atMs: number }>({
    keyOf: ({ userId }) => userId,
    isNewer: (end, other) => end.atMs > other.atMs,
    lingerMs: 0,
    async flush(ends) {
      const now = performance.now()
      const rows = ends.map(({ userId, code, atMs }) => ({ userId, code, agoMs: now - atMs }))
      await db.run('end_users', END_USERS, [JSON.stringify(rows)], { first: true })
    },
    onFailure: (error, count) => logger.warn({ err: error, count }, 'ends of sockets could not be kept yet'),
  })
  const unsubscribe = bus.subscribe('ends', ({ userId, code, ageMs = 0 }, origin) => {
    if (origin === 'here' && code === 'DISCONNECTED') gatherer.add([{ userId, code, atMs: performance.now() - ageMs }])
  })

  return {
    /** How much is kept in memory. */
    sizes: () => ({ waiting: gatherer.size() }),

    /** Keeps what waits, once; what fails then is given up. */
    stop(): Promise<void> {
      unsubscribe()
      return gatherer.stop()
    },
  }
}

const END_USERS = `
SELECT log_end_user(e."userId", e.code, e."agoMs")
FROM json_to_recordset($1) AS e ("userId" text, code text, "agoMs" double precision)`
