import type { Input, Output } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { PAGES } from '../../contract/limits.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Asker, Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'
import type { SearchBuild } from './search-build.js'
import { WORDS } from './search-index.js'
import { createWalk, type Place } from './search-walk.js'

/** What a server gives one statement of a search. */
const LIMIT_MS = 1_500
/** A query that more messages match is frequent: its messages are too many to be sorted. */
const FREQUENT = 5_000

type Row = MessageRow & Record<string, unknown>
type Page = Output<'search_messages'>

/** Full-text search of a user's chats; CONFLICT where it is off (setting SEARCH), UNAVAILABLE while its index is being made. */
export function createSearch(db: Pick<Database, 'run'>, isOn: boolean, isReady: SearchBuild['isReady']) {
  const walk = createWalk(db, LIMIT_MS)

  async function isFrequent(query: string, by: Asker): Promise<boolean> {
    const values = [query, FREQUENT + 1]
    const [row] = await db.run<{ count: number }>('search_count', COUNT, values, { by, limitMs: LIMIT_MS })
    return (row?.count ?? 0) > FREQUENT
  }

  return {
    /**
     * A page of the messages that hold all words of the query, newest first, of a sender or later and earlier than some time. Of a frequent query a page looks through a bounded number
     * of messages: it may be short, even empty, and its cursor goes on where it stopped.
     */
    async search(
      userId: string,
      {
        query,
        chatId: ofChat,
        senderId: ofSender,
        after: since,
        before: until,
        cursor,
        limit = PAGES.search.standard,
      }: SearchInput,
      by: Asker = { userId },
    ): Promise<Page> {
      if (!isOn) throw new ChatError('CONFLICT', { message: 'Search is off (setting SEARCH).' })
      if (!(await isReady()))
        throw new ChatError('UNAVAILABLE', { message: 'The index of search is still being made.' })
      const [chatId, senderId, after] = [ofChat ?? null, ofSender ?? null, since ?? null]
      const [time, id] = cursor === undefined ? [] : readCursor(cursor, 'time', 'uuid')
      const from: Place | null = time !== undefined && id !== undefined ? { time, id } : null
      let before = until === undefined ? from : older(from, { time: until, id: LOWEST_ID })
      if (await isFrequent(query, by)) {
        const walked = await walk({ userId, query, chatId, senderId, after, before, limit, by })
        if (walked.messages.length > 0 || !walked.isStuck) return toPage(walked.messages, walked.next)
        before = walked.next
      }
      const values = [userId, query, chatId, before?.time ?? null, before?.id ?? null, limit + 1, senderId, after]
      const rows = await db.run<Row>('search', SEARCH, values, { by, limitMs: LIMIT_MS })
      const messages = rows.slice(0, limit).map(toMessage)
      const last = rows.length > limit ? messages.at(-1) : undefined
      return toPage(messages, last ? { time: last.createdAt, id: last.id } : null)
    },
  }
}

/** Every message of a moment has a higher one. */
const LOWEST_ID = '00000000-0000-0000-0000-000000000000'

/** Which of two places is further down. */
const older = (one: Place | null, other: Place): Place =>
  one && Date.parse(one.time) <= Date.parse(other.time) ? one : other

type SearchInput = Input<'search_messages'>

const toPage = (messages: Page['messages'], next: Place | null): Page => ({
  messages,
  nextCursor: next && writeCursor(next.time, next.id),
})

// Materialized it is planned for all its rows, so by the index; and no more of them are read than are counted.
const COUNT = `
WITH hits AS MATERIALIZED (SELECT 1 FROM messages WHERE ${WORDS} @@ plainto_tsquery('simple', $1))
SELECT count(*)::integer AS count FROM (SELECT 1 FROM hits LIMIT $2) counted`

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
    AND ($7::text IS NULL OR m.sender_id = $7)
    AND ($8::timestamptz IS NULL OR m.created_at > $8)
    AND m.seq >= c.first_seq
    AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
    AND ($4::timestamptz IS NULL OR (m.created_at, m.id) < ($4, $5::uuid))
  ORDER BY m.created_at DESC, m.id DESC
  LIMIT $6
)
SELECT ${MESSAGE_COLUMNS}
FROM hits JOIN messages m ON m.id = hits.id
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.created_at DESC, m.id DESC`
