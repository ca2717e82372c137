import type pg from 'pg'
import type { History } from './checker.js'

/** Reads what the database holds of some chats, or of all, by SQL alone: the law that the clients' half of a history is held against. */
export async function dump(
  db: Pick<pg.Pool, 'query'>,
  only: string[] | null = null,
): Promise<Pick<History, 'chats' | 'log' | 'messages'>> {
  const chats = await db.query(
    'SELECT id AS "chatId", revision, first_seq AS "firstSeq", last_seq AS "lastSeq" FROM chats WHERE $1::text[] IS NULL OR id = ANY ($1)',
    [only],
  )
  const log = await db.query(
    `SELECT chat_id AS "chatId", revision, kind, coalesce(message_id::text, user_id) AS entity FROM chat_log
     WHERE $1::text[] IS NULL OR chat_id = ANY ($1) ORDER BY chat_id, revision`,
    [only],
  )
  const messages = await db.query(
    `SELECT m.id, chat_id AS "chatId", seq, revision, sender_id AS "senderId", client_message_id AS key, content,
       (SELECT coalesce(json_agg(json_build_object('emoji', emoji, 'userId', user_id)), '[]') FROM reactions WHERE message_id = m.id) AS reactions
     FROM messages m WHERE ($1::text[] IS NULL OR chat_id = ANY ($1))
       AND seq >= (SELECT first_seq FROM chats WHERE id = m.chat_id) ORDER BY chat_id, seq`,
    [only],
  )
  return { chats: chats.rows, log: log.rows, messages: messages.rows }
}
