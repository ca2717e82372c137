import pg from 'pg'
import { ChatError } from '../../contract/errors.js'
import type { Logger } from '../logger.js'
import { readTime } from '../time.js'
import { type Orm, openDrizzle } from './drizzle.js'
import { openEmbedded } from './embedded/index.js'
import { toChatError } from './errors.js'
import { createTurns } from './turns.js'

/** Where the chats are, as a Drizzle database: a pool on one PostgreSQL schema, the same for a server and for the embedded database. */
export interface Database extends Orm {
  pool: pg.Pool
  /** What a connection beside the pool needs. */
  connection: pg.ClientConfig
  /** The PostgreSQL schema that holds our tables; every connection's search_path. */
  schema: string
  embedded: boolean
  /** Whether `users` is a host's view in place of our table; known when migrated. */
  hasForeignUsers: boolean
  /** What an acked message survives. */
  durability: 'power-loss' | 'process-crash'
  /** Runs a statement in SQL, prepared under its name; failures are the catalogue's. For what is hot, or is plainer in SQL. */
  run<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: unknown[],
    options?: RunOptions,
  ): Promise<Row[]>
  /** Settles when the embedded database is beyond help; never for a server. */
  failed: Promise<Error>
  close(): Promise<void>
}

export interface RunOptions {
  /** Goes before all that is not, where the database does one thing at a time. */
  urgent?: boolean
}

export interface DatabaseOptions {
  /** A PostgreSQL URL; unset, the embedded database in `dataDir`. */
  databaseUrl?: string
  databaseSchema?: string
  dataDir: string
  poolSize?: number
  logger: Logger
}

/** Times come as they leave, in RFC 3339: a Date between would only be written out again. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.TIMESTAMPTZ ? readTime : pg.types.getTypeParser(oid, format),
}

const CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 10_000
const EMBEDDED_TIMEOUT_MS = 30_000

/** Opens the database: a pool on `databaseUrl`, else the embedded one, which one process alone may hold. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, databaseSchema = 'public', dataDir, poolSize = 10, logger } = options
  const embedded = databaseUrl ? null : await openEmbedded({ dataDir, logger })
  const connection: pg.ClientConfig = {
    ...(embedded ? embedded.connection : { connectionString: databaseUrl }),
    application_name: 'chat-socket-service',
    // Statements here are short: compiling one, which a large table makes PostgreSQL do, takes longer than any of them.
    options: `-c search_path=${quoteSchema(databaseSchema)} -c jit=off -c timezone=UTC -c datestyle=ISO`,
    types,
    connectionTimeoutMillis: embedded ? EMBEDDED_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
    query_timeout: embedded ? EMBEDDED_TIMEOUT_MS : QUERY_TIMEOUT_MS,
    ...(!embedded && { statement_timeout: QUERY_TIMEOUT_MS }),
    keepAlive: true,
  }
  const pool = new pg.Pool({ ...connection, max: embedded ? 1 : poolSize })
  // A connection that dies in the pool's hands must not end the process. The error holds all that the connection knew: statements, and its key.
  pool.on('error', ({ message }) => logger.warn({ reason: message }, 'a database connection was lost'))

  const turns = embedded ? createTurns() : null
  const take = <T>(isUrgent: boolean, work: () => Promise<T>) => (turns ? turns(isUrgent, work) : work())

  return Object.assign(
    openDrizzle(pool, (work) => take(false, work)),
    {
      pool,
      connection,
      schema: databaseSchema,
      embedded: embedded !== null,
      hasForeignUsers: false,
      durability: embedded ? ('process-crash' as const) : ('power-loss' as const),
      async run<Row extends pg.QueryResultRow>(
        name: string,
        text: string,
        values: unknown[],
        { urgent = false }: RunOptions = {},
      ) {
        try {
          const { rows } = await take(urgent, () => pool.query<Row>({ name, text, values }))
          return rows
        } catch (error) {
          throw toChatError(error)
        }
      },
      failed: embedded?.failed ?? new Promise<Error>(() => {}),
      async close() {
        await pool.end()
        await embedded?.close()
      },
    },
  )
}

function quoteSchema(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
    throw new ChatError('VALIDATION_FAILED', { message: 'DATABASE_SCHEMA must be a plain lower-case name.' })
  }
  return name
}
