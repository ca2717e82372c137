import type { Input, Output } from '../../contract/commands.js'
import { ChatError, invalid } from '../../contract/errors.js'
import { PAGES } from '../../contract/limits.js'
import type { Message } from '../../contract/shapes.js'
import type { Asker, Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'
import { SERVICE } from './service-reads.js'

interface PageRow extends MessageRow, Record<string, unknown> {
  revision: number
  last_seq: number
  first_seq: number
}

/** Reads of messages, all bounded, each one statement and so one snapshot. */
export function createHistory(db: Pick<Database, 'run'>) {
  return {
    /**
     * A page of a member's history in ascending seq, before, after or around a seq or a message, else the newest. NOT_FOUND for who is no member,
     * and for a message that is not theirs to see in this chat; a null user is a service, which sees all of it.
     */
    async getMessages(
      userId: string | null,
      input: Input<'get_messages'>,
      by: Asker = userId === null ? SERVICE : { userId },
    ): Promise<Output<'get_messages'>> {
      const { chatId, beforeSeq, afterSeq, aroundSeq, aroundMessageId, limit = PAGES.messages.standard } = input
      const given = [beforeSeq, afterSeq, aroundSeq, aroundMessageId].filter((place) => place !== undefined)
      if (given.length > 1) {
        throw invalid({ path: '', message: 'beforeSeq, afterSeq, aroundSeq and aroundMessageId exclude each other' })
      }
      // Seqs have no holes, so every page is a range of them.
      const values = [
        chatId,
        userId,
        beforeSeq ?? null,
        afterSeq ?? null,
        aroundSeq ?? null,
        limit,
        aroundMessageId ?? null,
      ]
      const rows =
        userId === null
          ? await db.run<PageRow>('history_any_page', ANY_PAGE_SQL, values, { by })
          : await db.run<PageRow>('history_page', PAGE_SQL, values, { by })
      const head = rows[0]
      if (!head) throw new ChatError('NOT_FOUND')
      const messages = rows.filter((row) => row.m_id !== null).map(toMessage)
      const first = messages[0]?.seq
      const last = messages.at(-1)?.seq
      return {
        messages,
        hasBefore:
          first !== undefined ? first > head.first_seq : afterSeq !== undefined && head.last_seq >= head.first_seq,
        hasAfter:
          last !== undefined ? last < head.last_seq : beforeSeq !== undefined && head.last_seq >= head.first_seq,
        revision: head.revision,
      }
    },

    /** Whether a sender's key has made a message already. */
    async isSent(chatId: string, senderId: string, clientMessageId: string): Promise<boolean> {
      return (await db.run('history_is_sent', IS_SENT_SQL, [chatId, senderId, clientMessageId])).length > 0
    },

    /** A message that a member may see, else NOT_FOUND; a null user is a service, which sees all. */
    async getMessage(userId: string | null, messageId: string): Promise<Message> {
      const [name, text] = userId === null ? ['history_any_message', ANY_MESSAGE_SQL] : ['history_message', MESSAGE_SQL]
      const [row] = await db.run<MessageRow & Record<string, unknown>>(name, text, [messageId, userId])
      if (!row) throw new ChatError('NOT_FOUND')
      return toMessage(row)
    },

    /** What somebody once sent, as it is now: theirs to hear of whatever they may see, since it is the answer to a retry. */
    async getSent(senderId: string, messageId: string): Promise<Message> {
      const [row] = await db.run<MessageRow & Record<string, unknown>>('history_sent', SENT_SQL, [messageId, senderId])
      // A key goes with its message; until the row has gone, it makes no other.
      if (!row) throw new ChatError('CONFLICT', { message: 'The message of this clientMessageId has expired.' })
      return toMessage(row)
    },
  }
}

const pageSql = (chat: string) => `
WITH mine AS (${chat}), chat AS (
  SELECT mine.*, coalesce($5::integer, x.seq) AS around_seq
  FROM mine LEFT JOIN LATERAL (
    SELECT seq FROM messages WHERE id = $7::uuid AND chat_id = mine.id AND seq >= mine.first_seq OFFSET 0) x ON true
  WHERE $7::uuid IS NULL OR x.seq IS NOT NULL
), span AS (
  SELECT chat.*, greatest(first_seq, CASE
      WHEN $3::integer IS NOT NULL THEN least($3, last_seq + 1) - $6
      WHEN $4::integer IS NOT NULL THEN least($4, last_seq) + 1
      WHEN around_seq IS NOT NULL THEN least(around_seq - $6 / 2, last_seq + 1 - $6)
      ELSE last_seq + 1 - $6 END) AS from_seq
  FROM chat
), bounds AS (
  SELECT span.*, CASE WHEN $3::integer IS NOT NULL THEN least($3, last_seq + 1) ELSE from_seq + $6 END AS to_seq FROM span
)
SELECT p.revision, p.last_seq, p.first_seq, ${MESSAGE_COLUMNS}
FROM bounds p
LEFT JOIN messages m ON m.chat_id = p.id AND m.seq >= p.from_seq AND m.seq < p.to_seq
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.seq`

const PAGE_SQL = pageSql(`
  SELECT c.id, c.revision, c.last_seq,
    greatest(c.first_seq, CASE WHEN c.history_visibility = 'all' THEN 1 ELSE b.visible_from_seq END) AS first_seq
  FROM chats c JOIN members b ON b.chat_id = c.id AND b.user_id = $2
  WHERE c.id = $1`)

const ANY_PAGE_SQL = pageSql(`
  SELECT c.id, c.revision, c.last_seq, c.first_seq FROM chats c
  WHERE c.id = $1 AND $2::text IS NULL AND c.deleted_at IS NULL`)

const ANY_MESSAGE_SQL = `
SELECT ${MESSAGE_COLUMNS}
FROM messages m
JOIN chats c ON c.id = m.chat_id AND c.deleted_at IS NULL
LEFT JOIN users s ON s.id = m.sender_id
WHERE m.id = $1 AND $2::text IS NULL AND m.seq >= c.first_seq`

const MESSAGE_SQL = `
SELECT ${MESSAGE_COLUMNS}
FROM messages m
JOIN chats c ON c.id = m.chat_id
JOIN members b ON b.chat_id = m.chat_id AND b.user_id = $2
LEFT JOIN users s ON s.id = m.sender_id
WHERE m.id = $1 AND m.seq >= c.first_seq AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)`

const SENT_SQL = `
SELECT ${MESSAGE_COLUMNS}
FROM messages m
JOIN chats c ON c.id = m.chat_id
LEFT JOIN users s ON s.id = m.sender_id
WHERE m.id = $1 AND m.sender_id = $2 AND m.seq >= c.first_seq`

const IS_SENT_SQL = 'SELECT 1 FROM log_find_sent($1, $2, $3)'
