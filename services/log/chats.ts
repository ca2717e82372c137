import { ChatError } from '../../contract/errors.js'
import { PAGES, UNREAD_CAP } from '../../contract/limits.js'
import type { Member, MyChat } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Database } from '../db/index.js'
import {
  CHAT_COLUMNS,
  MESSAGE_COLUMNS,
  type MemberRow,
  type MessageRow,
  type MyChatRow,
  toMember,
  toMyChat,
} from './entities.js'

type Row<T> = T & MessageRow & Record<string, unknown>

/** How many messages of others a member `b` of chat `c` has not read and may see, counted to one above the cap. */
export const UNREAD = `(SELECT count(*)::integer FROM (
    SELECT 1 FROM messages x
    WHERE x.chat_id = c.id AND x.deleted_at IS NULL AND x.sender_id <> b.user_id
      AND x.seq > greatest(b.last_read_seq, CASE WHEN c.history_visibility = 'all' THEN 0 ELSE b.visible_from_seq - 1 END)
    LIMIT ${UNREAD_CAP + 1}) y)`

const MY_CHATS = `
SELECT b.user_id, ${CHAT_COLUMNS}, b.role, b.last_read_seq,
  CASE WHEN b.last_read_seq >= c.last_seq THEN 0 ELSE ${UNREAD} END AS unread, ${MESSAGE_COLUMNS}
FROM members b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq
  AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
LEFT JOIN users s ON s.id = m.sender_id`

const NEWEST_FIRST = 'ORDER BY c.last_activity_at DESC, c.id DESC'

/** Chats as their members see them: each answer is one statement, however many chats or users it is for. */
export function createChats(db: Pick<Database, 'run'>) {
  return {
    /** All chats of some users, newest activity first; every user asked for has an entry. */
    async getChatsOf(userIds: string[]): Promise<Map<string, MyChat[]>> {
      const rows = await db.run<Row<MyChatRow>>('chats_of', `${MY_CHATS} WHERE b.user_id = ANY ($1) ${NEWEST_FIRST}`, [
        userIds,
      ])
      const chats = new Map<string, MyChat[]>(userIds.map((userId) => [userId, []]))
      for (const row of rows) chats.get(row.user_id)?.push(toMyChat(row))
      return chats
    },

    /** A page of a user's chats, newest activity first. */
    async listChats(userId: string, cursor: string | undefined, limit: number = PAGES.chats.standard) {
      const [before, beforeId] = cursor === undefined ? [null, null] : readCursor(cursor, 'time', 'id')
      const rows = await db.run<Row<MyChatRow>>(
        'chats_page',
        `${MY_CHATS} WHERE b.user_id = $1 AND ($2::timestamptz IS NULL OR (c.last_activity_at, c.id) < ($2, $3)) ${NEWEST_FIRST} LIMIT $4`,
        [userId, before, beforeId, limit + 1],
      )
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        chats: rows.slice(0, limit).map(toMyChat),
        nextCursor: last ? writeCursor(last.last_activity_at, last.id) : null,
      }
    },

    /** A chat as some of its members see it; who is no member has no entry. */
    async getChatFor(chatId: string, userIds: string[]): Promise<Map<string, MyChat>> {
      const rows = await db.run<Row<MyChatRow>>(
        'chat_for',
        `${MY_CHATS} WHERE b.chat_id = $1 AND b.user_id = ANY ($2)`,
        [chatId, userIds],
      )
      return new Map(rows.map((row) => [row.user_id, toMyChat(row)]))
    },

    /** Where the logs of some chats stand; unknown ones have no entry. */
    async getHeads(chatIds: string[]): Promise<Map<string, number>> {
      const rows = await db.run<{ id: string; revision: number }>(
        'chat_heads',
        'SELECT id, revision FROM chats WHERE id = ANY ($1)',
        [chatIds],
      )
      return new Map(rows.map((row) => [row.id, row.revision]))
    },

    /** Sets a chat's last activity by its last message, where rows came from elsewhere. */
    async touchChat(chatId: string): Promise<void> {
      await db.run(
        'chat_touch',
        `UPDATE chats c SET last_activity_at = m.created_at FROM messages m
         WHERE c.id = $1 AND m.chat_id = c.id AND m.seq = c.last_seq AND c.last_activity_at < m.created_at`,
        [chatId],
      )
    },

    /** A page of members by user id; NOT_FOUND for a user who is none (a null user is a service). */
    async listMembers(
      userId: string | null,
      chatId: string,
      cursor: string | undefined,
      limit: number = PAGES.members.standard,
    ) {
      const [after] = cursor === undefined ? [''] : readCursor(cursor, 'id')
      const rows = await db.run<MemberRow & Record<string, unknown>>('chat_members', MEMBERS_PAGE, [
        chatId,
        userId,
        after,
        limit + 1,
      ])
      // A member's own row is always on some page, so an empty one needs a second look.
      if (rows.length === 0 && !(await isVisible(userId, chatId))) throw new ChatError('NOT_FOUND')
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        members: rows.slice(0, limit).map(toMember) as Member[],
        nextCursor: last ? writeCursor(last.user_id) : null,
      }
    },
  }

  async function isVisible(userId: string | null, chatId: string): Promise<boolean> {
    const rows = await db.run(
      'chat_visible',
      'SELECT 1 FROM chats c WHERE c.id = $1 AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM members WHERE chat_id = c.id AND user_id = $2))',
      [chatId, userId],
    )
    return rows.length > 0
  }
}

const MEMBERS_PAGE = `
SELECT b.chat_id, b.user_id, u.name, u.avatar_url, b.role, b.joined_at
FROM members b LEFT JOIN users u ON u.id = b.user_id
WHERE b.chat_id = $1 AND b.user_id > $3
  AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM members WHERE chat_id = $1 AND user_id = $2))
ORDER BY b.user_id LIMIT $4`
