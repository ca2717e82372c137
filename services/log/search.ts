import type { Input, Output } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Database } from '../db/index.js'
import { alone } from '../db/migrate.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'

const PAGE = 20

/** Full-text search of a user's chats; without its index (setting SEARCH) it is CONFLICT. */
export function createSearch(db: Pick<Database, 'query'>, isOn: boolean) {
  return {
    /** A page of the messages that hold all words of the query, newest first. */
    async search(userId: string, { query, chatId, cursor, limit = PAGE }: Input<'search_messages'>) {
      if (!isOn) throw new ChatError('CONFLICT', { message: 'Search is off (setting SEARCH).' })
      const [before = null, beforeId = null] = cursor === undefined ? [] : readCursor(cursor)
      const values = [userId, query, chatId ?? null, before, beforeId, limit + 1]
      const rows = await db.query<MessageRow & Record<string, unknown>>('search', SEARCH, values)
      const page: Output<'search_messages'> = { messages: rows.slice(0, limit).map(toMessage), nextCursor: null }
      const last = rows.length > limit ? page.messages.at(-1) : undefined
      if (last) page.nextCursor = writeCursor(last.createdAt, last.id)
      return page
    },
  }
}

/** What the index is of, word for word. */
const WORDS = `to_tsvector('simple', coalesce(content, ''))`

/** Makes the index that search needs, or takes away the one that nothing uses; where it is as it should be, no table is locked. */
export async function prepareSearch(
  db: Pick<Database, 'connection' | 'schema' | 'embedded'>,
  isOn: boolean,
): Promise<void> {
  await alone(db, async (client) => {
    const { rows } = await client.query(
      `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('messages_words')`,
    )
    if (isOn ? rows[0]?.indisvalid === true : rows.length === 0) return
    const concurrently = db.embedded ? '' : 'CONCURRENTLY'
    // One that was being made when its node ended is there, and not valid.
    await client.query(`DROP INDEX ${concurrently} IF EXISTS messages_words`)
    if (isOn) {
      await client.query(
        `CREATE INDEX ${concurrently} messages_words ON messages USING gin (${WORDS}) WITH (fastupdate = off)`,
      )
    }
  })
}

// The rows are found by the words first and cut to what the user may see; only a page of them gets its columns.
const SEARCH = `
WITH hits AS (
  SELECT m.id
  FROM messages m
  JOIN members b ON b.chat_id = m.chat_id AND b.user_id = $1
  JOIN chats c ON c.id = m.chat_id
  WHERE ${WORDS.replace('content', 'm.content')} @@ plainto_tsquery('simple', $2)
    AND m.deleted_at IS NULL
    AND ($3::text IS NULL OR m.chat_id = $3)
    AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
    AND ($4::timestamptz IS NULL OR (m.created_at, m.id) < ($4, $5::uuid))
  ORDER BY m.created_at DESC, m.id DESC
  LIMIT $6
)
SELECT ${MESSAGE_COLUMNS}
FROM hits JOIN messages m ON m.id = hits.id
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.created_at DESC, m.id DESC`
