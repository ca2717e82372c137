import type { Input, Output } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { PAGES } from '../../contract/limits.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Asker, Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'

/** The pinned messages of a chat. */
export function createPins(db: Pick<Database, 'run'>) {
  return {
    /** A page of those that a member may see, the last pinned first; NOT_FOUND for who is no member. */
    async listPins(
      userId: string,
      { chatId, cursor, limit = PAGES.pins.standard }: Input<'list_pins'>,
      by: Asker = { userId },
    ): Promise<Output<'list_pins'>> {
      const [before, beforeId] = cursor === undefined ? [null, null] : readCursor(cursor, 'time', 'uuid')
      const values = [chatId, userId, before, beforeId, limit + 1]
      const rows = await db.run<MessageRow & Record<string, unknown>>('pins', PINS, values, { by })
      if (rows.length === 0) throw new ChatError('NOT_FOUND')
      const messages = rows.filter((row) => row.m_id !== null).map(toMessage)
      const last = messages.length > limit ? messages[limit - 1] : undefined
      return {
        messages: messages.slice(0, limit),
        nextCursor: last?.pinnedAt ? writeCursor(last.pinnedAt, last.id) : null,
      }
    },
  }
}

// A member has a row even when nothing is pinned.
const PINS = `
SELECT ${MESSAGE_COLUMNS}
FROM members b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN LATERAL (
  SELECT x.* FROM (
    SELECT * FROM pins WHERE chat_id = b.chat_id AND ($3::timestamptz IS NULL OR (pinned_at, message_id) < ($3, $4::uuid)) OFFSET 0) p
  JOIN LATERAL (SELECT * FROM messages WHERE id = p.message_id OFFSET 0) x ON true
  WHERE x.seq >= c.first_seq AND (c.history_visibility = 'all' OR x.seq >= b.visible_from_seq)
  ORDER BY p.pinned_at DESC, p.message_id DESC LIMIT $5) m ON true
LEFT JOIN users s ON s.id = m.sender_id
WHERE b.chat_id = $1 AND b.user_id = $2
ORDER BY m.pinned_at DESC, m.id DESC`
