import { sql } from 'drizzle-orm'
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, id, time, timeInFull } from './columns.js'

/** Who put which emoji on which message, in the order of their coming. */
export const reactions = pgTable(
  'reactions',
  {
    messageId: uuid('message_id').notNull(),
    emoji: text('emoji').notNull(),
    userId: id('user_id').notNull(),
    createdAt: timeInFull('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.messageId, t.emoji, t.userId] })],
)

/** The pinned messages of a chat, in the order of their pinning. */
export const pins = pgTable(
  'pins',
  {
    chatId: id('chat_id').notNull(),
    pinnedAt: time('pinned_at').notNull(),
    messageId: uuid('message_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.chatId, t.pinnedAt, t.messageId] })],
)

/** Which undeleted messages name whom; an empty user id stands for everyone in the chat. */
export const mentions = pgTable(
  'mentions',
  {
    chatId: id('chat_id').notNull(),
    seq: integer('seq').notNull(),
    userId: id('user_id').notNull(),
    messageId: uuid('message_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.chatId, t.userId, t.seq] }),
    // Ids of messages are in the order of their making.
    index('mentions_user').on(t.userId, t.messageId),
    // Who is in many chats is named by everyone's mentions in these alone.
    index('mentions_everyone').on(t.chatId, t.messageId).where(sql`user_id = ''`),
  ],
)

/** Files that are being sent, or were: the bytes are in a store, the row says whose they are and where they belong. */
export const uploads = pgTable(
  'uploads',
  {
    id: uuid('id').primaryKey(),
    chatId: id('chat_id').notNull(),
    userId: id('user_id').notNull(),
    name: text('name').notNull(),
    mimeType: text('mime_type').notNull(),
    size: bigint('size', { mode: 'number' }).notNull(),
    width: integer('width'),
    height: integer('height'),
    durationMs: integer('duration_ms'),
    createdAt: time('created_at').notNull(),
    /** When all of its bytes were there. */
    storedAt: time('stored_at'),
    /** The message that carries it, which no other can. */
    messageId: uuid('message_id'),
    /** When its message was deleted, or it was given up: bytes and row are to go. */
    droppedAt: time('dropped_at'),
    /** What the token of its URL must hash to, until the bytes have come. */
    tokenHash: bytea('token_hash'),
  },
  (t) => [
    index('uploads_user_open').on(t.userId).where(sql`message_id IS NULL`),
    index('uploads_message').on(t.messageId).where(sql`message_id IS NOT NULL`),
    index('uploads_open').on(t.createdAt).where(sql`message_id IS NULL`),
    index('uploads_dropped').on(t.droppedAt).where(sql`dropped_at IS NOT NULL`),
    index('uploads_chat').on(t.chatId),
  ],
)
