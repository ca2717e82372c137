import { UNREAD_CAP } from '../../contract/limits.js'
import type { MyChat, UnreadTotals } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import { UNREAD, UNREAD_MENTIONS } from './my-chats.js'
import { IS_QUIET } from './settings.js'

const none = (): UnreadTotals => ({ chats: 0, messages: 0, mentions: 0, capped: false })

/** What is unread in all of a user's chats together, as the database would count it at some time; a session has them at hand. */
export function totalOf(chats: MyChat[], nowMs: number): UnreadTotals {
  const totals = none()
  for (const { unreadCount, unreadCapped, unreadMentions, settings } of chats) {
    const { mutedUntil, isArchived, isHidden, isMarkedUnread } = settings
    if (isArchived || isHidden || (mutedUntil !== null && Date.parse(mutedUntil) > nowMs)) continue
    if (unreadCount > 0 || isMarkedUnread) totals.chats += 1
    totals.messages += unreadCount
    totals.mentions += unreadMentions
    totals.capped ||= unreadCapped
  }
  return totals
}

/** What is unread, for badges: muted, archived and hidden chats do not count. */
export function createUnread(db: Pick<Database, 'run'>) {
  return {
    /** What is unread in all chats of some users: one statement, however many; every user asked for has an entry. */
    async getUnread(userIds: string[]): Promise<Map<string, UnreadTotals>> {
      const rows = await db.run<UnreadTotals & { user_id: string }>('unread_totals', TOTALS, [userIds], {
        by: { userId: '' },
      })
      const found = new Map<string, UnreadTotals>(userIds.map((userId) => [userId, none()]))
      for (const { user_id, ...totals } of rows) found.set(user_id, totals)
      return found
    },
  }
}

const TOTALS = `
SELECT b.user_id, count(*)::integer AS chats, sum(least(t.unread, ${UNREAD_CAP}))::integer AS messages,
  sum(t.mentions)::integer AS mentions, bool_or(t.unread > ${UNREAD_CAP}) AS capped
FROM members b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN chat_settings z ON z.user_id = b.user_id AND z.chat_id = b.chat_id AND z.user_id = ANY ($1)
CROSS JOIN LATERAL (
  SELECT CASE WHEN b.last_read_seq < c.last_seq THEN ${UNREAD} ELSE 0 END AS unread,
    CASE WHEN b.last_read_seq < c.last_seq THEN ${UNREAD_MENTIONS} ELSE 0 END AS mentions OFFSET 0) t
WHERE b.user_id = ANY ($1) AND (b.last_read_seq < c.last_seq OR z.unread_at_seq IS NOT NULL) AND NOT ${IS_QUIET}
  AND (t.unread > 0 OR z.unread_at_seq >= b.last_read_seq)
GROUP BY b.user_id`
