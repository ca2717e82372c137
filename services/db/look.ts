import { readMigrationFiles } from 'drizzle-orm/migrator'
import pg from 'pg'
import { openChannel } from './channel.js'
import { CONNECT_MS, STATEMENT_MS } from './limits.js'
import { OUR_MIGRATIONS } from './migrate.js'
import { databaseRefusal } from './refusals.js'

/** What a PostgreSQL says of itself to who only looks: nothing in it changes. */
export interface DatabaseLook {
  /** As `15.4`. */
  version: string
  major: number
  /** Its clock less ours, in ms, give or take half of the way there and back. */
  clockAheadMs: number
  /** A standby, or one that was told so. */
  isReadOnly: boolean
  user: string
  hasSchema: boolean
  /** Whether the user may make what a start makes: the schema, or tables in it. */
  mayCreate: boolean
  /** Whether our tables are the user's, so that a migration may change them; true where there are none. */
  ownsTables: boolean
  /** Migrations that are done, or null where none ever was. */
  applied: number | null
  pending: number
  /** Whether a newer version of the service was here. */
  isNewer: boolean
  /** Whether what is notified on a connection is heard on another, as nodes need it without Redis. */
  hears: boolean
}

/** Where to look. */
export interface LookOptions {
  databaseUrl: string
  databaseSchema: string
}

const HEAR_MS = 3_000

const SERVER = `
SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS version,
  current_user AS name, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at,
  pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS "isReadOnly"`

const RIGHTS = `
SELECT n.oid IS NOT NULL AS "hasSchema",
  CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE') END AS "mayCreate",
  coalesce((SELECT bool_and(pg_has_role(c.relowner, 'USAGE')) FROM pg_class c
    WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.relname IN ('chats', 'messages', 'members', 'chat_log', 'chat_migrations')), true)
    AS "ownsTables",
  EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'chat_migrations') AS "isMigrated"
FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = $1`

/** Looks at the PostgreSQL that a start would use; where it cannot be reached, the refusal that a start would end with. */
export async function lookAtDatabase(options: LookOptions): Promise<DatabaseLook> {
  const connection: pg.ClientConfig = {
    connectionString: options.databaseUrl,
    application_name: 'chat-socket-service check',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
  }
  try {
    const client = new pg.Client(connection)
    client.on('error', () => {})
    await client.connect()
    try {
      return { ...(await look(client, options)), hears: await hears(connection) }
    } finally {
      await client.end()
    }
  } catch (error) {
    throw databaseRefusal(error, { ...options, dataDir: '' })
  }
}

async function look(client: pg.Client, { databaseSchema }: LookOptions): Promise<Omit<DatabaseLook, 'hears'>> {
  // The first statement pays for what is not on the way.
  await client.query('SELECT 1')
  const askedAt = Date.now()
  const startedAt = performance.now()
  const { rows: servers } = await client.query(SERVER)
  const halfwayMs = (performance.now() - startedAt) / 2
  const { number, version, name, at, isReadOnly } = servers[0]
  const { rows: rights } = await client.query(RIGHTS, [databaseSchema])
  const { isMigrated, ...allowed } = rights[0]
  return {
    version: String(version).split(' ')[0] ?? '',
    major: Math.floor(number / 10_000),
    clockAheadMs: at - (askedAt + halfwayMs),
    isReadOnly,
    user: name,
    ...allowed,
    ...(await migrationsOf(client, isMigrated ? databaseSchema : null)),
  }
}

async function migrationsOf(client: pg.Client, schema: string | null) {
  const ours = readMigrationFiles({ migrationsFolder: OUR_MIGRATIONS }).map(({ folderMillis }) => folderMillis)
  if (schema === null) return { applied: null, pending: ours.length, isNewer: false }
  const { rows } = await client.query<{ count: number; last: number }>(
    `SELECT count(*)::integer AS count, coalesce(max(created_at), 0)::float8 AS last
     FROM ${client.escapeIdentifier(schema)}.chat_migrations`,
  )
  const { count = 0, last = 0 } = rows[0] ?? {}
  return { applied: count, pending: ours.filter((at) => at > last).length, isNewer: last > Math.max(...ours) }
}

/** Whether one connection hears what it says, which a pooler in between may prevent. */
async function hears(connection: pg.ClientConfig): Promise<boolean> {
  let heard: (isHeard: boolean) => void = () => {}
  const answer = new Promise<boolean>((resolve) => {
    heard = resolve
  })
  const channel = await openChannel({ connection }, 'chat_socket_service_check', {
    onNotification: () => heard(true),
    onClosed: () => heard(false),
  })
  const giveUp = setTimeout(() => heard(false), HEAR_MS)
  try {
    await channel.notify('')
    return await answer
  } finally {
    clearTimeout(giveUp)
    channel.close()
  }
}
