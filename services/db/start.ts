import { Refusal } from '../refusals/refusal.js'
import { type Database, type DatabaseOptions, openDatabase } from './index.js'
import { alone, migrate } from './migrate.js'
import { databaseRefusal, LEAST_VERSION } from './refusals.js'

/** What is needed of the database to prepare more than its tables and functions. */
export type Preparing = Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>

/** Opens the database, brings it up to date and prepares the rest; whatever forbids this is a `Refusal`, and then nothing stays open. */
export async function startDatabase(
  options: DatabaseOptions,
  prepare: (database: Preparing) => Promise<void> = async () => {},
): Promise<Database> {
  let database: Database | undefined
  try {
    database = await openDatabase(options)
    if (!database.embedded) await requireVersion(database)
    await migrate(database)
    await prepare(database.embedded ? apart(database) : database)
    return database
  } catch (error) {
    await database?.close().catch(() => {})
    throw databaseRefusal(error, options)
  }
}

/**
 * The database with a connection of its own for each statement. The embedded one serves one connection at a time: what the pool has once opened it keeps for
 * ten seconds, and until then nothing could be made on another.
 */
function apart(database: Database): Preparing {
  const { connection, schema, embedded } = database
  return {
    ...{ connection, schema, embedded },
    run: (_name, text, values) => alone(database, async (client) => (await client.query(text, values)).rows),
  }
}

async function requireVersion({ pool }: Database): Promise<void> {
  const { rows } = await pool.query<{ number: string }>(`SELECT current_setting('server_version_num') AS number`)
  const version = Math.floor(Number(rows[0]?.number) / 10_000)
  if (version >= LEAST_VERSION) return
  throw new Refusal(
    `DATABASE_URL leads to PostgreSQL ${version}, and version ${LEAST_VERSION} or newer is needed: upgrade it, or name another.`,
    { code: 'DATABASE_UNUSABLE' },
  )
}
