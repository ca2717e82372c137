import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'
import pg from 'pg'
import { packageRoot } from '../package-root.js'
import { Refusal } from '../refusals/refusal.js'
import { sqlState } from './errors.js'
import type { Database } from './index.js'

/** Where the package has its migrations. */
export const OUR_MIGRATIONS = join(packageRoot(), 'migrations')
/** The first number of all advisory locks of ours: "chat". */
export const CHAT_LOCK = 0x63686174
const LOCK_TIMEOUT_MS = 500
const PAUSE_MS = 1_000
const LOOK_MS = 50
const MOST_TRIES = 40
const NO_LOCK = /^(55P03|40P01)$/

/**
 * Brings the tables and functions up to date: many nodes may start at once, and older ones may be sending. Each migration is a
 * transaction; one that waits for a lock gives way after half a second and tries again later, so that sends do not queue up behind it.
 */
export async function migrate(db: Database, folder = OUR_MIGRATIONS): Promise<void> {
  await alone(db, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [db.schema])
    if (!rowCount) await client.query(`CREATE SCHEMA ${client.escapeIdentifier(db.schema)}`)
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`)
    for (const migration of await findNew(client, folder)) await apply(client, migration)
    db.hasForeignUsers = await isForeign(client)
  })
}

/** Whether `users` is a host's view, whose ids must compare as ours do: else every join with them reads the host's whole table, or fails. */
async function isForeign(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ relkind: string; fits: boolean }>(
    `SELECT c.relkind, a.attcollation = '"C"'::regcollation AS fits
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' WHERE c.oid = 'users'::regclass`,
  )
  if (['r', 'p'].includes(rows[0]?.relkind ?? '')) return false
  if (!rows[0]?.fits)
    throw new Refusal('The id of the view `users` must be text COLLATE "C": see docs/shared-database.md.')
  return true
}

/** Does what only one node may do at a time, on a connection of its own: it may take longer than any query is given, and its locks go with it. */
export async function alone<T>(
  db: Pick<Database, 'connection' | 'schema'>,
  work: (client: pg.Client) => Promise<T>,
  what = '',
): Promise<T> {
  const client = new pg.Client({ ...db.connection, statement_timeout: 0, query_timeout: 0 })
  // A server that goes must not end the process; whatever is asked next fails.
  client.on('error', () => {})
  await client.connect()
  try {
    // Asked for, not waited for: a statement that waits holds a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
    const ask = 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS held'
    while (!(await client.query(ask, [CHAT_LOCK, db.schema + what])).rows[0].held) await sleep(LOOK_MS)
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Does work that one node at a time should do, where no other is at it; with the connection, which may be used for it, goes the lock. */
export async function ifAlone(
  db: Pick<Database, 'connection' | 'schema' | 'embedded'>,
  what: string,
  work: (client?: pg.Client) => Promise<void>,
): Promise<void> {
  // The embedded database is of one process.
  if (db.embedded) return work()
  const client = new pg.Client({ ...db.connection, statement_timeout: 0, query_timeout: 0 })
  client.on('error', () => {})
  try {
    await client.connect()
    const ask = 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS held'
    if ((await client.query(ask, [CHAT_LOCK, db.schema + what])).rows[0].held) await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

// Drizzle's own runner asks to make the schema again, which a role without CREATE on the database may not even where it is there.
async function findNew(client: pg.Client, migrationsFolder: string): Promise<MigrationMeta[]> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS chat_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)',
  )
  const { rows } = await client.query('SELECT coalesce(max(created_at), 0) AS last FROM chat_migrations')
  return readMigrationFiles({ migrationsFolder }).filter(({ folderMillis }) => folderMillis > Number(rows[0].last))
}

async function apply(client: pg.Client, { sql, hash, folderMillis }: MigrationMeta): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query('BEGIN')
      for (const statement of sql) await client.query(statement)
      await client.query('INSERT INTO chat_migrations (hash, created_at) VALUES ($1, $2)', [hash, folderMillis])
      await client.query('COMMIT')
      return
    } catch (error) {
      await client.query('ROLLBACK')
      if (tries === MOST_TRIES || !NO_LOCK.test(sqlState(error) ?? '')) throw error
      await sleep(PAUSE_MS)
    }
  }
}
