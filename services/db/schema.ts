import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { CHAT_TYPES, type ChangeKind, HISTORY_VISIBILITIES, ROLES } from '../../contract/words.js'
import { bytea, id, time, timeInFull, xid8 } from './columns.js'

import { USER_ENDS } from './user-ends.js'

export * from './hook-schema.js'
export * from './message-schema.js'
export * from './moderation-schema.js'
export * from './notice-schema.js'
export * from './presence-schema.js'

const oneOf = (words: readonly string[]) => sql.raw(`(${words.map((word) => `'${word}'`).join(', ')})`)
const ownXid = sql`pg_current_xact_id()`

/** Profiles. Nothing here refers to it by a key, so that a host's own table can stand in its place as a view. */
export const users = pgTable('users', {
  id: id('id').primaryKey(),
  name: text('name').notNull(),
  avatarUrl: text('avatar_url'),
  createdAt: time('created_at').notNull().default(sql`now()`),
})

/** What we alone know of a user; a `deletedAt` is a tombstone that no token revives. */
export const userStates = pgTable('user_states', {
  userId: id('user_id').primaryKey(),
  lastSeenAt: time('last_seen_at'),
  presenceVersion: bigint('presence_version', { mode: 'number' }),
  tokensValidFrom: time('tokens_valid_from'),
  deletedAt: time('deleted_at'),
})

/** One row a chat: the lock that orders it, and where its numbers stand. */
export const chats = pgTable(
  'chats',
  {
    id: id('id').primaryKey(),
    type: text('type', { enum: CHAT_TYPES }).notNull(),
    title: text('title'),
    directKey: id('direct_key').unique('chats_direct_key'),
    historyVisibility: text('history_visibility', { enum: HISTORY_VISIBILITIES }).notNull(),
    memberCount: integer('member_count').notNull(),
    revision: integer('revision').notNull(),
    lastSeq: integer('last_seq').notNull(),
    lastActivityAt: time('last_activity_at').notNull(),
    createdAt: time('created_at').notNull(),
    slowModeSeconds: integer('slow_mode_seconds').notNull().default(0),
    isFrozen: boolean('is_frozen').notNull().default(false),
    /** Of a direct chat: whether one of the two has blocked the other, so that a send finds it where it looks anyway. */
    isBlocked: boolean('is_blocked').notNull().default(false),
    /** Whether somebody in it may be muted: where no rule is, a send looks for none. */
    hasMutes: boolean('has_mutes').notNull().default(false),
    metadata: jsonb('metadata'),
    /** The first message that has not expired, and the first line of the log that is kept. */
    firstSeq: integer('first_seq').notNull().default(1),
    logFrom: integer('log_from').notNull().default(1),
    /** A deleted chat keeps its row, so that its id stays taken. */
    deletedAt: time('deleted_at'),
  },
  (t) => [
    check('chats_type', sql`${t.type} in ${oneOf(CHAT_TYPES)}`),
    check('chats_history_visibility', sql`${t.historyVisibility} in ${oneOf(HISTORY_VISIBILITIES)}`),
  ],
)

/** Who is in a chat, how far they have read, and from where on they see it if its history starts at the joining. */
export const members = pgTable(
  'members',
  {
    chatId: id('chat_id')
      .notNull()
      .references(() => chats.id),
    userId: id('user_id').notNull(),
    role: text('role', { enum: ROLES }).notNull(),
    joinedAt: time('joined_at').notNull(),
    joinedRevision: integer('joined_revision').notNull(),
    lastReadSeq: integer('last_read_seq').notNull(),
    visibleFromSeq: integer('visible_from_seq').notNull(),
    mutedUntil: time('muted_until'),
    /** When they last sent while the chat was in slow mode. */
    lastSentAt: time('last_sent_at'),
    /** Up to which seq they were told, while away, of what they have not read. */
    notifiedSeq: integer('notified_seq').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.chatId, t.userId] }),
    index('members_user').on(t.userId, t.chatId),
    /** The oldest of a chat; no column here ever changes, so that a mark moves within its page. Who looks for one member cannot take it: its chat has another collation. */
    index('members_oldest').on(sql`chat_id COLLATE "POSIX"`, t.joinedRevision, t.userId),
    check('members_role', sql`${t.role} in ${oneOf(ROLES)}`),
  ],
)

/**
 * The messages. No foreign keys: only the log's functions write here, under the lock of a chat that is never deleted, and for a
 * member whose row is read under it; a key would cost every insert two more locks. `messages_key` holds hashes, of sender, chat and key, and so nothing
 * but a look by these can take it; it starts with the sender, so it also finds all that somebody wrote.
 */
export const messages = pgTable(
  'messages',
  {
    id: uuid('id').primaryKey(),
    chatId: id('chat_id').notNull(),
    seq: integer('seq').notNull(),
    revision: integer('revision').notNull(),
    senderId: id('sender_id').notNull(),
    clientMessageId: id('client_message_id'),
    /** What a retry of the key must repeat, where the row itself does not say so: it was edited, names people, carries files, or a hook changed it. */
    bodyHash: bytea('body_hash'),
    content: text('content'),
    replyToId: uuid('reply_to_id'),
    metadata: jsonb('metadata'),
    createdAt: time('created_at').notNull(),
    editedAt: time('edited_at'),
    deletedAt: time('deleted_at'),
    /** Messages of older versions have none, though they may be replies. */
    replyToSeq: integer('reply_to_seq'),
    /** Whom it names, as the contract says it; null for nobody. `mentions` finds it by them. */
    mentions: jsonb('mentions'),
    /** The uploads that it carries, as the contract says them; null for none. */
    attachments: jsonb('attachments'),
    pinnedAt: time('pinned_at'),
  },
  (t) => [
    unique('messages_chat_seq').on(t.chatId, t.seq),
    uniqueIndex('messages_key').on(
      sql`hashtext(sender_id)`,
      sql`hashtext(chat_id)`,
      sql`hashtextextended(client_message_id, hashtextextended(chat_id, hashtextextended(sender_id, 0)))`,
    ),
  ],
)

/** A member's own settings of a chat, where they are not all as at first. */
export const chatSettings = pgTable(
  'chat_settings',
  {
    userId: id('user_id').notNull(),
    chatId: id('chat_id').notNull(),
    mutedUntil: time('muted_until'),
    isPinned: boolean('is_pinned').notNull().default(false),
    isArchived: boolean('is_archived').notNull().default(false),
    /** Hidden while the chat has no message above this one. */
    hiddenAtSeq: integer('hidden_at_seq'),
    /** Marked unread while the member's read mark is not above this one. */
    unreadAtSeq: integer('unread_at_seq'),
  },
  (t) => [primaryKey({ columns: [t.userId, t.chatId] })],
)

/**
 * Every change of a chat, one row a revision: what live delivery, healing and sync read. By `xact_id` nodes find what they have not heard; its index
 * is there where there are many (`services/log/recent.ts`), and lines of older versions have none.
 */
export const chatLog = pgTable(
  'chat_log',
  {
    chatId: id('chat_id').notNull(),
    revision: integer('revision').notNull(),
    kind: text('kind').$type<ChangeKind>().notNull(),
    messageId: uuid('message_id'),
    userId: id('user_id'),
    actorId: id('actor_id'),
    /** Of a member's change: the role and the joining then, for who is gone has no row that tells. */
    role: text('role', { enum: ROLES }),
    joinedAt: time('joined_at'),
    mutedUntil: time('muted_until'),
    /** Null for a new message, whose row tells it: `log_written_at`. */
    at: time('at'),
    /** Of messages that expired: the last of them. */
    throughSeq: integer('through_seq'),
    xactId: xid8('xact_id').default(ownXid),
  },
  (t) => [primaryKey({ columns: [t.chatId, t.revision] })],
)

/** The ends of all sockets of a user, for nodes that did not hear of them; kept for an hour. Revocations and tombstones come here by a trigger. */
export const userEnds = pgTable(
  'user_ends',
  {
    xactId: xid8('xact_id').notNull().default(ownXid),
    userId: id('user_id').notNull(),
    code: text('code', { enum: USER_ENDS }).notNull(),
    /** Who arrived later is not meant. */
    at: timeInFull('at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.xactId, t.userId, t.code] }),
    index('user_ends_at').on(t.at),
    check('user_ends_code', sql`${t.code} in ${oneOf(USER_ENDS)}`),
  ],
)

/** Chats of which rows are to go that nobody sees any more. */
export const purges = pgTable('purges', { chatId: id('chat_id').primaryKey(), at: time('at').notNull() })

/** Users whose messages are being deleted, or were: in which chat that is, and how many it were. */
export const erasures = pgTable('erasures', {
  userId: id('user_id').primaryKey(),
  chatId: id('chat_id'),
  erased: integer('erased').notNull().default(0),
  askedAt: time('asked_at').notNull(),
  doneAt: time('done_at'),
})

/** Unlogged: one row, which is gone when transactions may be, and their numbers given again: after a crash, and on a server that took over. */
export const logEpochs = pgTable('log_epochs', {
  id: integer('id').primaryKey(),
  epoch: uuid('epoch').notNull(),
})

/** What the settings allow, for the functions that a host calls: one row, which each node writes when it starts. */
export const logLimits = pgTable('log_limits', {
  id: integer('id').primaryKey(),
  maxMessageChars: integer('max_message_chars').notNull(),
})
