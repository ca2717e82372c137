import { createHash } from 'node:crypto'
import type { Database } from './index.js'

/** A name for a schema of a database that is the same for all who use it, however they reach it, and another for every other. */
export async function identify({ pool, schema }: Pick<Database, 'pool' | 'schema'>): Promise<string> {
  const { rows } = await pool.query<{ name: string; oid: string }>(
    `SELECT datname AS name, oid::text FROM pg_database WHERE datname = current_database()`,
  )
  const parts = [rows[0]?.name, rows[0]?.oid, await systemOf(pool), schema]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
}

/** What tells one PostgreSQL from another; empty where it is not to be known. */
async function systemOf(pool: Database['pool']): Promise<string> {
  try {
    const { rows } = await pool.query<{ system: string }>(
      'SELECT system_identifier::text AS system FROM pg_control_system()',
    )
    return rows[0]?.system ?? ''
  } catch {
    return ''
  }
}
