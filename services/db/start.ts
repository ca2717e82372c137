import { Refusal } from '../refusals/refusal.js'
import { type Database, type DatabaseOptions, openDatabase } from './index.js'
import { migrate } from './migrate.js'
import { databaseRefusal, LEAST_VERSION } from './refusals.js'

/** Opens the database, brings it up to date and prepares the rest; whatever forbids this is a `Refusal`, and then nothing stays open. */
export async function startDatabase(
  options: DatabaseOptions,
  prepare: (database: Database) => Promise<void> = async () => {},
): Promise<Database> {
  let database: Database | undefined
  try {
    database = await openDatabase(options)
    if (!database.embedded) await requireVersion(database)
    await migrate(database)
    await prepare(database)
    return database
  } catch (error) {
    await database?.close().catch(() => {})
    throw databaseRefusal(error, options)
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
