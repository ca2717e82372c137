import type { Database } from '../db/index.js'
import { alone } from '../db/migrate.js'

/** Makes the index by which the oldest members of a chat are found, where the table was too large for the migration; it holds up no send. */
export async function prepareOldest(db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>): Promise<void> {
  const rows = await db.run('find_oldest', IS_VALID, [])
  if (rows[0]?.indisvalid) return
  await alone(db, async (client) => {
    const { rows } = await client.query(IS_VALID)
    if (rows[0]?.indisvalid) return
    const concurrently = db.embedded ? '' : 'CONCURRENTLY'
    // One that was being made when its node ended is there, and not valid.
    await client.query(`DROP INDEX ${concurrently} IF EXISTS members_oldest`)
    await client.query(
      `CREATE INDEX ${concurrently} members_oldest ON members (chat_id COLLATE "POSIX", joined_revision, user_id)`,
    )
  })
}

const IS_VALID = `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('members_oldest')`
