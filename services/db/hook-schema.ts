import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.js'

/** Who is told of what happens, by POST; below its secrets, what the dispatcher last said of it. */
export const hooks = pgTable('hooks', {
  id: id('id').primaryKey(),
  /** Made with the hook: what is kept of one that was deleted never counts for another of its id. */
  key: uuid('key').notNull(),
  url: text('url').notNull(),
  /** What it wants to hear; null for everything. */
  events: jsonb('events').$type<string[]>(),
  wantsChanges: boolean('wants_changes').notNull(),
  secret: text('secret').notNull(),
  /** The secret before, which signs, too, until a time; null for as long as it is there. */
  oldSecret: text('old_secret'),
  oldSecretUntil: time('old_secret_until'),
  /** How often it was set back: what is told again has other ids. */
  replays: integer('replays').notNull().default(0),
  createdAt: time('created_at').notNull(),
  /** Since it answered 410. */
  disabledAt: time('disabled_at'),
  lag: bigint('lag', { mode: 'number' }).notNull().default(0),
  oldestAt: time('oldest_at'),
  failures: integer('failures').notNull().default(0),
  lastFailure: text('last_failure'),
  lastFailureAt: time('last_failure_at'),
  lastSuccessAt: time('last_success_at'),
})

/** How far a hook has been told of a chat; without a row, of nothing. */
export const hookPositions = pgTable(
  'hook_positions',
  {
    hookKey: uuid('hook_key').notNull(),
    chatId: id('chat_id').notNull(),
    /** The last revision of the last range that it took. */
    revision: integer('revision').notNull(),
    /** What is above that and up to here it does not want to hear. */
    seen: integer('seen').notNull(),
  },
  (t) => [primaryKey({ columns: [t.hookKey, t.chatId] })],
)

/** What a hook is to be told that is in no chat's log, until it has taken it. */
export const hookEvents = pgTable(
  'hook_events',
  {
    id: uuid('id').primaryKey(),
    hookKey: uuid('hook_key').notNull(),
    type: text('type').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
    at: time('at').notNull(),
  },
  (t) => [index('hook_events_oldest').on(t.hookKey, t.at, t.id)],
)
