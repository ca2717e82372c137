import { MAX_OTHERS, UNREAD_CAP } from '../../contract/limits.js'
import type { ChatSettings, Member, MyChat, Other } from '../../contract/shapes.js'
import { CHAT_COLUMNS, type ChatRow, MESSAGE_COLUMNS, type ReadRow, toChat, toReadState, toUser } from './entities.js'
import { SETTINGS_COLUMNS, type SettingsRow, toSettings } from './settings.js'

/** From which seq on a member `b` of chat `c` has not read what they may see. */
export const UNREAD_FROM = `greatest(b.last_read_seq, c.first_seq - 1, CASE WHEN c.history_visibility = 'all' THEN 0 ELSE b.visible_from_seq - 1 END)`

const unreadUpTo = (most: number) => `(SELECT count(*)::integer FROM (
    SELECT 1 FROM messages x
    WHERE x.chat_id = c.id AND x.deleted_at IS NULL AND x.sender_id <> b.user_id AND x.seq > ${UNREAD_FROM}
    LIMIT ${most}) y)`

/** How many messages of others a member `b` of chat `c` has not read and may see, counted to one above the cap. */
export const UNREAD = unreadUpTo(UNREAD_CAP + 1)

/** Whether there is one. */
export const HAS_UNREAD = `(b.last_read_seq < c.last_seq AND ${unreadUpTo(1)} > 0)`

/** How many of those name them, or everyone, counted to the cap. */
export const UNREAD_MENTIONS = `(SELECT count(*)::integer FROM (
    SELECT DISTINCT n.seq FROM mentions n
    JOIN LATERAL (SELECT 1 FROM messages x
      WHERE x.chat_id = n.chat_id AND x.seq = n.seq AND x.deleted_at IS NULL AND x.sender_id <> b.user_id OFFSET 0) x ON true
    WHERE n.chat_id = c.id AND n.user_id IN (b.user_id, '') AND n.seq > ${UNREAD_FROM}
    LIMIT ${UNREAD_CAP}) y)`

/** Whether one of `b` and `o` has blocked the other; looked up one by one, where EXISTS could read and hash the whole table. */
export const IS_APART = `coalesce(
      (SELECT true FROM blocks k WHERE k.user_id = b.user_id AND k.blocked_user_id = o.user_id LIMIT 1),
      (SELECT true FROM blocks k WHERE k.user_id = o.user_id AND k.blocked_user_id = b.user_id LIMIT 1), false)`

// The first of a chat in the order of their joining: where its members begin in the index, so many rows are read, and no more than it has. Asked for the
// one chat alone, the planner would take it for one of the size of most, and sort all members of a large one.
const FIRST = `(SELECT * FROM (
        SELECT x.chat_id, x.user_id, x.last_read_seq FROM members x
        WHERE x.chat_id COLLATE "POSIX" >= c.id ORDER BY x.chat_id COLLATE "POSIX", x.joined_revision, x.user_id LIMIT ${MAX_OTHERS + 1}) x
      LIMIT least(c.member_count, ${MAX_OTHERS + 1}))`

// The same for every member of the chat, so that the planner can keep them. Profiles are looked up one by one, so that the order stays.
const FIRST_OF_CHAT = `(
    SELECT json_agg(json_build_array(o.user_id, u.name, u.avatar_url, o.last_read_seq)) AS members FROM ${FIRST} o
    LEFT JOIN LATERAL (SELECT x.name, x.avatar_url FROM users x WHERE x.id = o.user_id OFFSET 0) u ON true
    WHERE o.chat_id = c.id AND c.member_count > 1)`

const APART_FROM = `(SELECT array_agg(o.user_id) FROM ${FIRST} o WHERE o.chat_id = c.id AND ${IS_APART})`

/**
 * The chats of some members, as each of them sees it: `users` is the parameter that holds them as an array, and `from` says where their rows `b` come
 * from. Who has to do with no block, which is nearly everybody, costs no look-up of one.
 */
export const myChats = (users: string, from = 'members b') => `
WITH apart AS MATERIALIZED (
  SELECT DISTINCT u.id AS user_id FROM unnest(${users}::text[]) AS u (id)
  WHERE coalesce((SELECT true FROM blocks k WHERE k.user_id = u.id LIMIT 1), (SELECT true FROM blocks k WHERE k.blocked_user_id = u.id LIMIT 1))
)
SELECT b.user_id, ${CHAT_COLUMNS}, b.role, b.last_read_seq,
  CASE WHEN b.last_read_seq >= c.last_seq THEN 0 ELSE ${UNREAD} END AS unread,
  CASE WHEN b.last_read_seq >= c.last_seq THEN 0 ELSE ${UNREAD_MENTIONS} END AS unread_mentions,
  ${SETTINGS_COLUMNS}, f.members AS first_members, CASE WHEN v.user_id IS NOT NULL THEN ${APART_FROM} END AS apart_from, ${MESSAGE_COLUMNS}
FROM ${from}
JOIN chats c ON c.id = b.chat_id
LEFT JOIN chat_settings z ON z.user_id = b.user_id AND z.chat_id = b.chat_id AND z.user_id = ANY (${users})
LEFT JOIN apart v ON v.user_id = b.user_id
LEFT JOIN LATERAL ${FIRST_OF_CHAT} f ON true
LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq AND m.seq >= c.first_seq
  AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
LEFT JOIN users s ON s.id = m.sender_id
WHERE b.user_id = ANY (${users})`

export interface MyChatRow extends ChatRow, ReadRow, SettingsRow {
  user_id: string
  role: Member['role']
  unread_mentions: number
  /** One more than are told, for the reader may be among them; null for who is alone. */
  first_members: [userId: string, name: string | null, avatarUrl: string | null, lastReadSeq: number][] | null
  /** Which of those have blocked the reader, or are blocked: of them nothing is told but that they are there. */
  apart_from: string[] | null
}

/** A chat, and where its reader stands in it; the marks of others are told in chats of at most `maxMembers`. */
export function toMyChat(row: Parameters<typeof toChat>[0] & MyChatRow, maxMembers: number): MyChat {
  const hasMarks = row.member_count <= maxMembers
  const others: Other[] = []
  for (const [userId, name, avatarUrl, lastReadSeq] of row.first_members ?? []) {
    if (userId === row.user_id || others.length === MAX_OTHERS) continue
    const isApart = row.apart_from?.includes(userId) === true
    const user = isApart ? toUser(userId, null, null) : toUser(userId, name, avatarUrl)
    others.push({ user, lastReadSeq: hasMarks && !isApart ? lastReadSeq : null })
  }
  const settings: ChatSettings = toSettings(row)
  const mine = { unreadMentions: row.unread_mentions, others, settings }
  // Not spread: that costs more than all the rest, and a session has many chats.
  return Object.assign(toChat(row), { myRole: row.role }, toReadState(row.id, row), mine)
}
