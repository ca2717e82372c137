import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { DEVICE_KINDS, type DeviceKind } from '../../contract/words.js'
import { id, timeInFull } from './columns.js'

/** What is being told to whom: notices that are decided and not delivered yet, at most one a member and chat. */
export const notices = pgTable(
  'notices',
  {
    userId: id('user_id').notNull(),
    chatId: id('chat_id').notNull(),
    /** By this a receiver knows one that comes again. */
    noticeId: uuid('notice_id').notNull(),
    fromSeq: integer('from_seq').notNull(),
    throughSeq: integer('through_seq').notNull(),
    at: timeInFull('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.chatId] }), index('notices_at').on(t.at, t.noticeId)],
)

/** How far the scan for notices has come, one row; where it is missing, nothing was ever scanned. */
export const noticeScans = pgTable('notice_scans', {
  id: integer('id').primaryKey(),
  /** What was stored before is nobody's notice. */
  since: timeInFull('since').notNull(),
  scannedAt: timeInFull('scanned_at').notNull(),
  /** What was committed by then is decided, as PostgreSQL's text of it, in one life of the database; null where one process scans what it hears. */
  snapshot: text('snapshot'),
  epoch: uuid('epoch'),
  /** Who left by then, by the clock of the lease store, is decided. */
  leftMs: bigint('left_ms', { mode: 'number' }).notNull(),
})

/** Where users want to be told by push. One that is registered again by another user is that user's from then on. */
export const devices = pgTable(
  'devices',
  {
    deviceId: uuid('device_id').primaryKey(),
    userId: id('user_id').notNull(),
    kind: text('kind').$type<DeviceKind>().notNull(),
    /** The token of FCM or APNs, or the endpoint of Web Push. */
    token: id('token').notNull(),
    /** Of Web Push, the keys that a message is encrypted with. */
    keys: jsonb('keys'),
    createdAt: timeInFull('created_at').notNull(),
    /** When it was last registered. */
    seenAt: timeInFull('seen_at').notNull(),
  },
  (t) => [
    unique('devices_token').on(t.kind, t.token),
    index('devices_user').on(t.userId, t.seenAt),
    check('devices_kind', sql`${t.kind} in ${sql.raw(`(${DEVICE_KINDS.map((kind) => `'${kind}'`).join(', ')})`)}`),
  ],
)
