import type { ReadState } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import { UNREAD } from './chats.js'
import { type ReadRow, toReadState } from './entities.js'

type MarkRow = ReadRow & { chat_id: string; moved: boolean }

/** A read mark that was asked for, and whether that moved it. */
export interface Marked {
  state: ReadState
  moved: boolean
}

/** Read marks: how far each member has read. They are last-value state, not in the log, and never go back. */
export function createMarks(db: Pick<Database, 'query'>) {
  const toMarked = (row: MarkRow): Marked => ({ state: toReadState(row.chat_id, row), moved: row.moved })

  return {
    /** Reads a chat up to a seq, clamped to its last; nothing for who is no member. */
    async markUpTo(userId: string, chatId: string, upToSeq: number): Promise<Marked[]> {
      const rows = await db.query<MarkRow>('mark_up_to', mark('SELECT $2::text AS chat_id, $3::integer AS seq'), [
        userId,
        chatId,
        upToSeq,
      ])
      return rows.map(toMarked)
    },

    /** Reads the chats of some messages up to the highest of them each; ids of foreign chats are ignored. */
    async markMessages(userId: string, messageIds: string[]): Promise<Marked[]> {
      const rows = await db.query<MarkRow>(
        'mark_messages',
        mark('SELECT chat_id, max(seq) AS seq FROM messages WHERE id = ANY ($2::uuid[]) GROUP BY chat_id'),
        [userId, messageIds],
      )
      return rows.map(toMarked)
    },
  }
}

// The row is locked before the mark is compared, in the order of chats: two devices can mark at once.
const mark = (asked: string) => `
WITH asked AS (${asked}
), held AS (
  SELECT m.chat_id, m.last_read_seq, least(a.seq, c.last_seq) AS seq
  FROM asked a JOIN chats c ON c.id = a.chat_id JOIN members m ON m.chat_id = a.chat_id AND m.user_id = $1
  ORDER BY m.chat_id FOR NO KEY UPDATE OF m
), moved AS (
  UPDATE members m SET last_read_seq = held.seq
  FROM held WHERE m.chat_id = held.chat_id AND m.user_id = $1 AND held.seq > m.last_read_seq
  RETURNING m.chat_id
)
SELECT b.chat_id, b.last_read_seq, ${UNREAD} AS unread, EXISTS (SELECT 1 FROM moved WHERE moved.chat_id = b.chat_id) AS moved
FROM (
  SELECT m.chat_id, m.user_id, m.visible_from_seq, greatest(held.last_read_seq, held.seq) AS last_read_seq
  FROM held JOIN members m ON m.chat_id = held.chat_id AND m.user_id = $1
) b
JOIN chats c ON c.id = b.chat_id
ORDER BY b.chat_id`
