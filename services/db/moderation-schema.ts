import { index, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.js'

/** Who is kept out of a chat. */
export const bans = pgTable(
  'bans',
  {
    chatId: id('chat_id').notNull(),
    userId: id('user_id').notNull(),
    /** Null for a service. */
    actorId: id('actor_id'),
    at: time('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.chatId, t.userId] })],
)

/** Who wants to have nothing to do with whom. */
export const blocks = pgTable(
  'blocks',
  {
    userId: id('user_id').notNull(),
    blockedUserId: id('blocked_user_id').notNull(),
    at: time('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.blockedUserId] }), index('blocks_blocked').on(t.blockedUserId, t.userId)],
)

/** What members hold against messages, once each; `content` is what the message said then. */
export const reports = pgTable(
  'reports',
  {
    id: uuid('id').primaryKey(),
    messageId: uuid('message_id').notNull(),
    chatId: id('chat_id').notNull(),
    reporterId: id('reporter_id').notNull(),
    reason: text('reason').notNull(),
    comment: text('comment'),
    content: text('content'),
    at: time('at').notNull(),
  },
  (t) => [unique('reports_once').on(t.messageId, t.reporterId), index('reports_newest').on(t.at, t.id)],
)
