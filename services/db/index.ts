import { Socket } from 'node:net'
import pg from 'pg'
import { ChatError } from '../../contract/errors.js'
import type { Logger } from '../logger.js'
import { readTime } from '../time.js'
import { openDrizzle, type Take } from './drizzle.js'
import { openEmbedded } from './embedded/index.js'
import { MIN_FREE_BYTES, watchRoom } from './embedded/room.js'
import { toChatError } from './errors.js'
import { CONNECT_MS, limitsOf, STATEMENT_MS, within } from './limits.js'
import { boundQueries, readOnlyWhile } from './queries.js'
import { createTurns, type Turn } from './turns.js'

export type { Asker } from './rounds.js'

/** Where the chats are, as a Drizzle database: a pool on one PostgreSQL schema, the same for a server and for the embedded database. */
export interface Database {
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
  /** Whether the disk of the embedded database is full: then it can only be read. */
  isFull(): boolean
  /** How much work waits for its turn. */
  waiting(): number
  /** Settles when the embedded database is beyond help; never for a server. */
  failed: Promise<Error>
  close(): Promise<void>
}

export interface RunOptions extends Turn {
  /** What is left of the time that its command has. */
  withinMs?: number
  /** What a server gives the statement; what is not said has 4 s. */
  limitMs?: number
}

export interface DatabaseOptions {
  /** A PostgreSQL URL; unset, the embedded database in `dataDir`. */
  databaseUrl?: string
  databaseSchema?: string
  dataDir: string
  /** What the disk of the embedded database keeps free: with less, nothing more is stored. */
  minFreeBytes?: number
  poolSize?: number
  logger: Logger
}

/** Times come as they leave, in RFC 3339: a Date between would only be written out again. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.TIMESTAMPTZ ? readTime : pg.types.getTypeParser(oid, format),
}

/** How long a server has to take leave. */
const LEAVE_MS = 500
/** The share of a pool that patient reads may have. */
const PATIENT_SHARE = 0.4

/** Opens the database: a pool on `databaseUrl`, else the embedded one, which one process alone may hold. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const {
    databaseUrl,
    databaseSchema = 'public',
    dataDir,
    minFreeBytes = MIN_FREE_BYTES,
    poolSize = 10,
    logger,
  } = options
  const embedded = databaseUrl ? null : await openEmbedded({ dataDir, minFreeBytes, logger })
  const limits = limitsOf({ embedded: embedded !== null })
  const connection: pg.ClientConfig = {
    ...(embedded ? embedded.connection : { connectionString: databaseUrl }),
    application_name: 'chat-socket-service',
    // Statements here are short: compiling one, which a large table makes PostgreSQL do, takes longer than any of them.
    options: `-c search_path=${quoteSchema(databaseSchema)} -c jit=off -c timezone=UTC -c datestyle=ISO`,
    types,
    connectionTimeoutMillis: embedded ? limits.withinMs : CONNECT_MS,
    query_timeout: limits.withinMs,
    ...(!embedded && { statement_timeout: STATEMENT_MS }),
    keepAlive: true,
  }
  const atOnce = embedded ? 1 : poolSize
  const sockets = keepSockets()
  const pool = boundQueries(
    new pg.Pool({ ...connection, ...(!embedded && { stream: sockets.open }), max: atOnce }),
    limits.withinMs,
    embedded !== null,
  )
  // A connection that dies in the pool's hands must not end the process. The error holds all that the connection knew: statements, and its key.
  pool.on('error', ({ message }) => logger.warn({ reason: message }, 'a database connection was lost'))
  // Nor one that dies just as it goes out of them: the pool listens no more, and who asked for it does not yet.
  pool.on('connect', (client) => client.on('error', () => {}))

  const patientAtOnce = Math.max(1, Math.floor(atOnce * PATIENT_SHARE))
  const turns = createTurns({ atOnce, patientAtOnce, ...limits })

  const room = embedded && watchRoom({ dataDir, minFreeBytes, logger, onChange: readOnlyWhile(pool, turns) })

  // The builder knows of no limits: a connection that hangs has its own.
  const take: Take = (turn, run) =>
    turns.take(turn, (waitedMs) => within(limits.withinMs - waitedMs, run(), turn.by !== undefined))

  return Object.assign(openDrizzle(pool, take), {
    pool,
    connection,
    schema: databaseSchema,
    embedded: embedded !== null,
    hasForeignUsers: false,
    durability: embedded ? ('process-crash' as const) : ('power-loss' as const),
    waiting: turns.waiting,
    isFull: () => room?.isFull() ?? false,
    async run<Row extends pg.QueryResultRow>(
      name: string,
      text: string,
      values: unknown[],
      { withinMs = limits.withinMs, limitMs, ...turn }: RunOptions = {},
    ) {
      try {
        const { rows } = await turns.take(turn, (waitedMs) => {
          const bounds = { query_timeout: withinMs - waitedMs, ...(!embedded && limitMs !== undefined && { limitMs }) }
          return pool.query<Row>({ name, text, values, ...bounds })
        })
        return rows
      } catch (error) {
        throw toChatError(error, turn.by !== undefined)
      }
    },
    failed: embedded?.failed ?? new Promise<Error>(() => {}),
    async close() {
      room?.stop()
      // A server that hangs takes no leave.
      const impatient = setTimeout(sockets.destroy, LEAVE_MS)
      await pool.end()
      clearTimeout(impatient)
      await embedded?.close()
    },
  })
}

/** Opens the sockets of a pool, and can end them all. */
function keepSockets() {
  const all = new Set<Socket>()
  return {
    open(): Socket {
      const socket = new Socket()
      all.add(socket.once('close', () => all.delete(socket)))
      return socket
    },
    destroy(): void {
      for (const socket of all) socket.destroy()
    },
  }
}

function quoteSchema(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
    throw new ChatError('VALIDATION_FAILED', { message: 'DATABASE_SCHEMA must be a plain lower-case name.' })
  }
  return name
}
