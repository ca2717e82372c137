import type { Input, Output } from '../../contract/commands.js'
import { PAGES } from '../../contract/limits.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Asker, Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'

interface MentionRow extends MessageRow, Record<string, unknown> {
  edge: string | null
}

/** Mentions of oneself that one page looks at. */
const LOOKED_AT = 1_000

/** Messages that mention somebody, or everyone, where they may see it. */
export function createMentions(db: Pick<Database, 'run'>) {
  return {
    /** A page of others' messages that mention a user, newest first. It looks at a bounded number, and may be short though there are more. */
    async listMentions(
      userId: string,
      { cursor, limit = PAGES.mentions.standard }: Input<'list_mentions'>,
      by: Asker = { userId },
    ): Promise<Output<'list_mentions'>> {
      const [before = null] = cursor === undefined ? [] : readCursor(cursor, 'uuid')
      const values = [userId, before, limit + 1, LOOKED_AT]
      const rows = await db.run<MentionRow>('mentions', MENTIONS, values, { by })
      const found = rows.filter(({ m_id }) => m_id !== null)
      const messages = found.slice(0, limit).map(toMessage)
      const next = found.length > limit ? messages.at(-1)?.id : rows[0]?.edge
      return { messages, nextCursor: next ? writeCursor(next) : null }
    },
  }
}

// Of everyone's mentions a page of n can hold only those of the n chats that have the newest, and n of each; one chat more says where the others
// begin. Below the edge something of a list that was cut off, or of those others, is missing, so a page ends there. A uuid has no max, but its text is in the same order.
const MENTIONS = `
WITH mine AS MATERIALIZED (
  SELECT b.chat_id, greatest(c.first_seq, CASE WHEN c.history_visibility = 'all' THEN 1 ELSE b.visible_from_seq END) AS first_seq
  FROM members b JOIN chats c ON c.id = b.chat_id WHERE b.user_id = $1
), named AS MATERIALIZED (
  SELECT chat_id, seq, message_id FROM mentions
  WHERE user_id = $1 AND ($2::uuid IS NULL OR message_id < $2)
  ORDER BY message_id DESC LIMIT $4
), heads AS MATERIALIZED (
  SELECT mine.chat_id, x.message_id, row_number() OVER (ORDER BY x.message_id DESC) AS place
  FROM mine CROSS JOIN LATERAL (
    SELECT message_id FROM mentions
    WHERE chat_id = mine.chat_id AND user_id = '' AND ($2::uuid IS NULL OR message_id < $2)
    ORDER BY message_id DESC LIMIT 1) x
  ORDER BY x.message_id DESC LIMIT $3::integer + 1
), all_named AS MATERIALIZED (
  SELECT heads.chat_id, x.seq, x.message_id
  FROM heads CROSS JOIN LATERAL (
    SELECT seq, message_id FROM mentions
    WHERE chat_id = heads.chat_id AND user_id = '' AND message_id <= heads.message_id
    ORDER BY message_id DESC LIMIT $3::integer) x
), edge AS MATERIALIZED (
  SELECT max(x.id)::uuid AS id FROM (
    SELECT min(message_id::text COLLATE "C") AS id FROM named HAVING count(*) = $4
    UNION ALL
    SELECT min(message_id::text COLLATE "C") FROM all_named GROUP BY chat_id HAVING count(*) = $3::integer
    UNION ALL
    SELECT message_id::text COLLATE "C" FROM heads WHERE place > $3::integer) x
), found AS MATERIALIZED (
  SELECT m.id FROM (SELECT * FROM named UNION SELECT * FROM all_named) n
  JOIN mine ON mine.chat_id = n.chat_id AND n.seq >= mine.first_seq
  CROSS JOIN edge
  CROSS JOIN LATERAL (SELECT id, sender_id, deleted_at FROM messages WHERE id = n.message_id OFFSET 0) m
  WHERE m.deleted_at IS NULL AND m.sender_id <> $1 AND (edge.id IS NULL OR n.message_id >= edge.id)
  ORDER BY m.id DESC LIMIT $3
)
SELECT edge.id AS edge, ${MESSAGE_COLUMNS}
FROM edge
LEFT JOIN found ON true
LEFT JOIN messages m ON m.id = found.id
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.id DESC`
