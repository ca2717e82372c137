import { tmpdir } from 'node:os'
import type { Test } from 'tap'
import { type Database, openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { createDatabase } from '../../helpers/postgres.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A database with our tables, for stores of leases; it ends with the test. */
export async function leaseDatabase(t: Test, databaseUrl?: string): Promise<Database> {
  const db = await openDatabase({ databaseUrl: databaseUrl ?? (await createDatabase(t)), dataDir: tmpdir(), logger })
  t.teardown(() => db.close())
  await migrate(db)
  return db
}

/** Puts users into one chat, so that they may know of each other. */
export async function shareChat(db: Database, userIds: string[], chatId = 'all'): Promise<void> {
  await db.pool.query(
    `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
    VALUES ($1, 'group', 'all', $2, 1, 0, now(), now())`,
    [chatId, userIds.length],
  )
  await db.pool.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT $1, id, 'member', now(), 1, 0, 1 FROM unnest($2::text[]) AS u (id)`,
    [chatId, userIds],
  )
}

/** A store as it was before anybody used it. */
export async function emptyStore(db: Database): Promise<void> {
  await db.pool.query(
    'TRUNCATE presence_marks, presence_choices, presence_stores, presence_nodes, presence_leases, presences',
  )
}

/** A store as a crash of PostgreSQL leaves it: what is not logged is gone. */
export async function loseStore(db: Database): Promise<void> {
  await db.pool.query('TRUNCATE presence_stores, presence_nodes, presence_leases, presences')
}
