import { and, eq, lt, sql } from 'drizzle-orm'
import { PAGES, UNREAD_CAP } from '../../contract/limits.js'
import type { MyChat } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import { isAnyOf } from '../db/conditions.js'
import type { Asker, Database } from '../db/index.js'
import { chats, messages } from '../db/schema.js'
import { CHAT_COLUMNS, MESSAGE_COLUMNS, type MessageRow, type MyChatRow, toMyChat } from './entities.js'

type Row<T> = T & MessageRow & Record<string, unknown>

/** How many messages of others a member `b` of chat `c` has not read and may see, counted to one above the cap. */
export const UNREAD = `(SELECT count(*)::integer FROM (
    SELECT 1 FROM messages x
    WHERE x.chat_id = c.id AND x.deleted_at IS NULL AND x.sender_id <> b.user_id
      AND x.seq > greatest(b.last_read_seq, c.first_seq - 1, CASE WHEN c.history_visibility = 'all' THEN 0 ELSE b.visible_from_seq - 1 END)
    LIMIT ${UNREAD_CAP + 1}) y)`

const MY_CHATS = `
SELECT b.user_id, ${CHAT_COLUMNS}, b.role, b.last_read_seq,
  CASE WHEN b.last_read_seq >= c.last_seq THEN 0 ELSE ${UNREAD} END AS unread, ${MESSAGE_COLUMNS}
FROM members b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq AND m.seq >= c.first_seq
  AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
LEFT JOIN users s ON s.id = m.sender_id`

const CHAT_IDS = `
SELECT user_id, json_agg(chat_id) AS chat_ids FROM members WHERE user_id = ANY ($1) GROUP BY user_id`

const NEWEST_FIRST = 'ORDER BY c.last_activity_at DESC, c.id DESC'

/** Chats as their members see them: each answer is one statement, however many chats or users it is for. */
export function createChats(db: Pick<Database, 'run' | 'select' | 'update'>) {
  const statements = prepareStatements(db)

  return {
    /** All chats of some users, newest activity first; every user asked for has an entry. */
    async getChatsOf(userIds: string[]): Promise<Map<string, MyChat[]>> {
      const rows = await db.run<Row<MyChatRow>>('chats_of', `${MY_CHATS} WHERE b.user_id = ANY ($1) ${NEWEST_FIRST}`, [
        userIds,
      ])
      const chatsOf = new Map<string, MyChat[]>(userIds.map((userId) => [userId, []]))
      for (const row of rows) chatsOf.get(row.user_id)?.push(toMyChat(row))
      return chatsOf
    },

    /** A page of a user's chats, newest activity first. */
    async listChats(
      userId: string,
      cursor: string | undefined,
      limit: number = PAGES.chats.standard,
      by: Asker = { userId },
    ) {
      const [before, beforeId] = cursor === undefined ? [null, null] : readCursor(cursor, 'time', 'id')
      const rows = await db.run<Row<MyChatRow>>(
        'chats_page',
        `${MY_CHATS} WHERE b.user_id = $1 AND ($2::timestamptz IS NULL OR (c.last_activity_at, c.id) < ($2, $3)) ${NEWEST_FIRST} LIMIT $4`,
        [userId, before, beforeId, limit + 1],
        { by },
      )
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        chats: rows.slice(0, limit).map(toMyChat),
        nextCursor: last ? writeCursor(last.last_activity_at, last.id) : null,
      }
    },

    /** A chat as some of its members see it; who is no member has no entry. For an asker it is a read that waits its turn. */
    async getChatFor(chatId: string, userIds: string[], by?: Asker): Promise<Map<string, MyChat>> {
      const rows = await db.run<Row<MyChatRow>>(
        'chat_for',
        `${MY_CHATS} WHERE b.chat_id = $1 AND b.user_id = ANY ($2)`,
        [chatId, userIds],
        by && { by },
      )
      return new Map(rows.map((row) => [row.user_id, toMyChat(row)]))
    },

    /** The ids of all chats of some users; who is in none has no entry. */
    async getChatIdsOf(userIds: string[]): Promise<Map<string, string[]>> {
      const rows = await db.run<{ user_id: string; chat_ids: string[] }>('chat_ids_of', CHAT_IDS, [userIds])
      return new Map(rows.map(({ user_id, chat_ids }) => [user_id, chat_ids]))
    },

    /** Where the logs of some chats stand; unknown ones have no entry. */
    async getHeads(chatIds: string[]): Promise<Map<string, number>> {
      const rows = await statements.heads.execute({ chatIds })
      return new Map(rows.map(({ id, revision }) => [id, revision]))
    },

    /** Sets a chat's last activity by its last message, where rows came from elsewhere. */
    async touchChat(chatId: string): Promise<void> {
      await statements.touch.execute({ chatId })
    },
  }
}

function prepareStatements(db: Pick<Database, 'select' | 'update'>) {
  const chatId = sql.placeholder('chatId')
  return {
    heads: db
      .select({ id: chats.id, revision: chats.revision })
      .from(chats)
      .where(isAnyOf(chats.id, 'chatIds'))
      .prepare('chat_heads'),

    touch: db
      .update(chats)
      .set({ lastActivityAt: sql`${messages.createdAt}` })
      .from(messages)
      .where(
        and(
          eq(chats.id, chatId),
          eq(messages.chatId, chats.id),
          eq(messages.seq, chats.lastSeq),
          lt(chats.lastActivityAt, messages.createdAt),
        ),
      )
      .prepare('chat_touch'),
  }
}
