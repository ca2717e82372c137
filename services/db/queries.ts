import type pg from 'pg'
import { sqlState, storageFull } from './errors.js'
import { inSteps, within } from './limits.js'
import type { createTurns } from './turns.js'

/** A statement, and what it may take. */
interface Statement extends pg.QueryConfig {
  /** From its being asked to its answer, in milliseconds. */
  query_timeout?: number
  /** What a server gives it, in place of the connection's statement_timeout. */
  limitMs?: number
}

/** How much later than the server we give up on a statement that has a limit of its own. */
const GRACE_MS = 700
const READ_ONLY = '25006'

/**
 * Makes a pool's `query` keep its time as a whole: connecting counts, which pg bounds apart. A connection whose statement the database has
 * refused is kept, where pg-pool would open another.
 */
export function boundQueries(pool: pg.Pool, standardMs: number, isEmbedded: boolean): pg.Pool {
  async function connect(withinMs: number): Promise<pg.PoolClient> {
    const connecting = pool.connect()
    try {
      return await within(withinMs, connecting, true)
    } catch (error) {
      connecting.then((client) => client.release()).catch(() => {})
      throw error
    }
  }

  async function query(asked: Statement | string, given?: unknown[]) {
    const { limitMs, ...statement } = typeof asked === 'string' ? { text: asked } : asked
    const withinMs = limitMs === undefined ? (statement.query_timeout ?? standardMs) : limitMs + GRACE_MS
    const end = performance.now() + withinMs
    const client = await connect(withinMs)
    let broken: Error | undefined
    const onError = (error: Error) => {
      broken = error
    }
    client.once('error', onError)
    try {
      if (limitMs !== undefined) await client.query(`BEGIN; SET LOCAL statement_timeout = ${limitMs}`)
      const query_timeout = inSteps(end - performance.now())
      const result = await client.query({ ...statement, query_timeout } as pg.QueryConfig, given ?? statement.values)
      if (limitMs !== undefined) await client.query('COMMIT')
      return result
    } catch (error) {
      if (limitMs !== undefined || !isRefusal(error)) broken ??= error as Error
      // The embedded database can be read only when there is no room.
      throw isEmbedded && sqlState(error) === READ_ONLY ? storageFull(error) : error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
  return Object.assign(pool, { query })
}

/** Whether the server answered with an error that leaves the connection as it was. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR'

/** Makes the sessions of a pool ones that only read, and ordinary ones again. */
export function readOnlyWhile(pool: pg.Pool, turns: ReturnType<typeof createTurns>) {
  let isOn = false
  const setting = () => `SET default_transaction_read_only = ${isOn ? 'on' : 'off'}`
  // Before whoever asked for the connection has it.
  pool.on('connect', (client) => {
    if (isOn) client.query(setting()).catch(() => {})
  })
  return async (isReadOnly: boolean): Promise<void> => {
    isOn = isReadOnly
    await turns.take({ first: true }, () => pool.query(setting()))
  }
}
