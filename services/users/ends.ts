import type { Database } from '../db/index.js'
import { createGatherer } from '../gather.js'
import type { UserEnd } from '../log/recent.js'
import type { Logger } from '../logger.js'

type Kept = Pick<UserEnd, 'userId' | 'code'> & { atMs: number }

/** Keeps ends that stand nowhere else in the database, where other nodes find what they did not hear; while it is away, they wait. */
export function createEnds(db: Pick<Database, 'run'>, logger: Logger) {
  const gatherer = createGatherer<Kept>({
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

  return {
    /** Keeps soon that all sockets of a user end which are there now. */
    keep: (userId: string, code: UserEnd['code']): void => gatherer.add([{ userId, code, atMs: performance.now() }]),

    stop: gatherer.stop,
  }
}

const END_USERS = `
SELECT log_end_user(e."userId", e.code, e."agoMs")
FROM json_to_recordset($1) AS e ("userId" text, code text, "agoMs" double precision)`
