import { and, eq, lt, sql } from 'drizzle-orm'
import type { Input } from '../../contract/commands.js'
import { PAGES } from '../../contract/limits.js'
import type { MyChat } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import { isAnyOf } from '../db/conditions.js'
import type { Asker, Database } from '../db/index.js'
import { chats, messages } from '../db/schema.js'
import type { MessageRow } from './entities.js'
import { HAS_UNREAD, type MyChatRow, myChats, toMyChat } from './my-chats.js'

type Row<T> = T & MessageRow & Record<string, unknown>

// One by one: for any number of users the planner goes through all members of the chat.
const CHAT_FOR = myChats(
  '$2',
  `(SELECT DISTINCT u.id FROM unnest($2::text[]) AS u (id)) a
CROSS JOIN LATERAL (SELECT * FROM members x WHERE x.chat_id = $1 AND x.user_id = a.id OFFSET 0) b`,
)

const CHAT_IDS = `
SELECT user_id, json_agg(chat_id) AS chat_ids FROM members WHERE user_id = ANY ($1) GROUP BY user_id`

const NEWEST_FIRST = 'ORDER BY c.last_activity_at DESC, c.id DESC'
const PINNED_FIRST = 'ORDER BY coalesce(z.is_pinned, false) DESC, c.last_activity_at DESC, c.id DESC'

// Which chats these are is found first: what is read of each is read of no others.
const PAGE = `${myChats('$1')} AND b.chat_id = ANY (ARRAY(
  SELECT b.chat_id FROM members b
  JOIN chats c ON c.id = b.chat_id
  LEFT JOIN chat_settings z ON z.user_id = b.user_id AND z.chat_id = b.chat_id AND z.user_id = ANY ($1)
  WHERE b.user_id = ANY ($1)
    AND CASE $2 WHEN 'all' THEN true WHEN 'archived' THEN coalesce(z.is_archived, false)
      ELSE NOT coalesce(z.is_archived OR z.hidden_at_seq >= c.last_seq, false) END
    AND ($2 <> 'unread' OR coalesce(z.unread_at_seq >= b.last_read_seq, false) OR ${HAS_UNREAD})
    AND ($3::boolean IS NULL OR (coalesce(z.is_pinned, false), c.last_activity_at, c.id) < ($3, $4::timestamptz, $5))
  ${PINNED_FIRST} LIMIT $6))
${PINNED_FIRST}`

/**
 * Chats as their members see them: each answer is one statement, however many chats or users it is for. Of others it tells the marks in chats of at
 * most `maxMembers`.
 */
export function createChats(db: Pick<Database, 'run' | 'select' | 'update'>, maxMembers: number) {
  const statements = prepareStatements(db)
  const toMine = (row: Row<MyChatRow>) => toMyChat(row, maxMembers)

  return {
    /** All chats of some users, newest activity first; every user asked for has an entry. */
    async getChatsOf(userIds: string[]): Promise<Map<string, MyChat[]>> {
      const rows = await db.run<Row<MyChatRow>>('chats_of', `${myChats('$1')} ${NEWEST_FIRST}`, [userIds])
      const chatsOf = new Map<string, MyChat[]>(userIds.map((userId) => [userId, []]))
      for (const row of rows) chatsOf.get(row.user_id)?.push(toMine(row))
      return chatsOf
    },

    /** A page of a user's chats: pinned ones first, then newest activity first. */
    async listChats(
      userId: string,
      { filter = 'active', cursor, limit = PAGES.chats.standard }: Input<'list_chats'>,
      by: Asker = { userId },
    ) {
      const before = cursor === undefined ? [null, null, null] : readCursor(cursor, 'flag', 'time', 'id')
      const rows = await db.run<Row<MyChatRow>>('chats_page', PAGE, [[userId], filter, ...before, limit + 1], { by })
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        chats: rows.slice(0, limit).map(toMine),
        nextCursor: last ? writeCursor(String(last.is_pinned ?? false), last.last_activity_at, last.id) : null,
      }
    },

    /** A chat as some of its members see it; who is no member has no entry. For an asker it is a read that waits its turn. */
    async getChatFor(chatId: string, userIds: string[], by?: Asker): Promise<Map<string, MyChat>> {
      const rows = await db.run<Row<MyChatRow>>('chat_for', CHAT_FOR, [chatId, userIds], by && { by })
      return new Map(rows.map((row) => [row.user_id, toMine(row)]))
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
