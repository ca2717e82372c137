import type { HookNotice } from '../../contract/words.js'
import type { Database } from '../db/index.js'
import type { Log } from '../log/index.js'

/** Something that a hook is to be told and that is in no chat's log. */
export interface Notice {
  id: string
  type: HookNotice
  data: Record<string, unknown>
}

/** What is told beside the changes of chats: kept in the database until it was taken. */
export function createNotices(db: Pick<Database, 'run'>, log: Pick<Log, 'getReport'>) {
  /** What a notice says when it is told; null for what is no more. */
  async function complete({ type, data }: Notice): Promise<Record<string, unknown> | null> {
    if (type !== 'message.reported' || typeof data.reportId !== 'string') return data
    return (await log.getReport(data.reportId)) ?? null
  }

  return {
    complete,

    /** Has the hooks told that want to hear of it, at least once; answers how many those are. In SQL, `hook_queue(type, data)` does the same in one's own transaction. */
    async queue(type: HookNotice, data: Record<string, unknown>): Promise<number> {
      const text = 'SELECT hook_queue($1, $2) AS count'
      const [row] = await db.run<{ count: number }>('hook_queue', text, [type, JSON.stringify(data)])
      return row?.count ?? 0
    },

    /** The oldest of a hook, but for some. */
    load: (hookKey: string, without: string[], limit: number): Promise<(Notice & Record<string, unknown>)[]> =>
      db.run('hook_notices', NOTICES, [hookKey, without, limit]),

    /** It was taken. */
    async done(id: string): Promise<void> {
      await db.run('hook_notice_done', 'DELETE FROM hook_events WHERE id = $1', [id])
    },
  }
}

const NOTICES = `
SELECT id, type, data FROM hook_events WHERE hook_key = $1 AND id <> ALL ($2::uuid[]) ORDER BY at, id LIMIT $3`

export type Notices = ReturnType<typeof createNotices>
