import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import type { PresenceStatus } from '../../contract/shapes.js'
import type { ChosenStatus } from '../../contract/words.js'
import { id } from './columns.js'

/** How those want to look who do not want to look as they are. Of its own, for `users` may be a host's view, and logged: it outlives a crash. */
export const presenceChoices = pgTable('presence_choices', {
  userId: id('user_id').primaryKey(),
  status: text('status').$type<ChosenStatus>().notNull(),
})

/** Whether there ever was a lease store; its row is logged, so that a store that came back empty is known from one that is new. */
export const presenceMarks = pgTable('presence_marks', { id: integer('id').primaryKey() })

/** The lease store itself, one row; unlogged, as all that follows: after a crash of PostgreSQL it is empty. */
export const presenceStores = pgTable('presence_stores', {
  id: integer('id').primaryKey(),
  /** Until then nobody is told offline: not all nodes have come back to a store that is young. */
  youngUntilMs: bigint('young_until_ms', { mode: 'number' }).notNull(),
  sweptMs: bigint('swept_ms', { mode: 'number' }).notNull(),
  /** Since when it has been swept without a pause: silence from before does not count. */
  watchedFromMs: bigint('watched_from_ms', { mode: 'number' }).notNull(),
})

/** The nodes that have leases, each by the id that it made for itself, and when they last did anything. */
export const presenceNodes = pgTable('presence_nodes', {
  id: uuid('id').primaryKey(),
  seenMs: bigint('seen_ms', { mode: 'number' }).notNull(),
  leaseMs: integer('lease_ms').notNull(),
  isEnded: boolean('is_ended').notNull().default(false),
})

/** The leases of all connections; nothing renews one by itself. */
export const presenceLeases = pgTable(
  'presence_leases',
  {
    nodeId: uuid('node_id').notNull(),
    connectionId: id('connection_id').notNull(),
    userId: id('user_id').notNull(),
    /** In microseconds, so that those that were opened together keep their order. */
    openedUs: bigint('opened_us', { mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.nodeId, t.connectionId] }),
    index('presence_leases_user').on(t.userId, t.openedUs, t.connectionId),
  ],
)

/** What the public may know of users (`status`), and what is so (`true_…`). */
export const presences = pgTable(
  'presences',
  {
    userId: id('user_id').primaryKey(),
    status: text('status').$type<PresenceStatus>().notNull(),
    lastSeenMs: bigint('last_seen_ms', { mode: 'number' }),
    version: bigint('version', { mode: 'number' }).notNull(),
    trueStatus: text('true_status').$type<PresenceStatus>().notNull(),
    trueLastSeenMs: bigint('true_last_seen_ms', { mode: 'number' }),
    trueVersion: bigint('true_version', { mode: 'number' }).notNull(),
    /** When a connection last was known to live. */
    provenMs: bigint('proven_ms', { mode: 'number' }).notNull(),
    /** When the clock changes this: a grace ends, or who was long away is forgotten; null while a lease lives. */
    dueMs: bigint('due_ms', { mode: 'number' }),
  },
  (t) => [
    index('presences_online').on(t.userId).where(sql`status <> 'offline'`),
    index('presences_here').on(t.userId).where(sql`true_status <> 'offline'`),
    index('presences_due').on(t.dueMs).where(sql`due_ms IS NOT NULL`),
  ],
)
