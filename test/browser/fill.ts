import type { Service } from '../helper.js'

export interface Fill {
  chatId: string
  count: number
  /** They write in turn. */
  senders: string[]
  /** Up to where all have read. */
  readUpTo: number
}

const STEP = 20_000

/** Puts messages into a chat by SQL, before anybody is connected: one a minute up to now, of one line to some. */
export async function fill({ app }: Service, { chatId, count, senders, readUpTo }: Fill): Promise<void> {
  const { pool } = app.db
  for (let from = 1; from <= count; from += STEP) {
    await pool.query(
      `WITH made AS (
         INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
         SELECT gen_random_uuid(), $1, s, (SELECT revision FROM chats WHERE id = $1) + s - $2::integer + 1,
                ($5::text[])[1 + s % cardinality($5::text[])],
                'Number ' || s || repeat(' and so on', s % 23), now() - ($4::integer - s) * interval '1 minute'
         FROM generate_series($2::integer, $3::integer) s
         RETURNING id, chat_id, revision, sender_id, seq),
       logged AS (
         INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
         SELECT chat_id, revision, 'message_created', id, sender_id, now() FROM made)
       UPDATE chats SET last_seq = (SELECT max(seq) FROM made), revision = (SELECT max(revision) FROM made) WHERE id = $1`,
      [chatId, from, Math.min(count, from + STEP - 1), count, senders],
    )
  }
  await pool.query('UPDATE members SET last_read_seq = $2 WHERE chat_id = $1', [chatId, readUpTo])
}
