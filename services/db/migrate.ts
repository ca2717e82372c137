import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { packageRoot } from '../package-root.js'
import type { Database } from './index.js'

const MIGRATIONS_LOCK = 0x63686174 // "chat"

/** Brings the tables and functions up to date, alone: many nodes may start at once. */
export async function migrate(db: Database): Promise<void> {
  // A connection of its own: a migration may take longer than any query is given, and its locks go with it.
  const client = new pg.Client({ ...db.connection, statement_timeout: 0, query_timeout: 0 })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1, hashtext($2))', [MIGRATIONS_LOCK, db.schema])
    const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [db.schema])
    if (!rowCount) await client.query(`CREATE SCHEMA ${client.escapeIdentifier(db.schema)}`)
    await runMigrations(drizzle(client), {
      migrationsFolder: join(packageRoot(), 'migrations'),
      migrationsSchema: db.schema,
      migrationsTable: 'chat_migrations',
    })
  } finally {
    await client.end()
  }
}
