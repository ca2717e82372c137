import { DrizzleQueryError } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import { toChatError } from './errors.js'
import * as schema from './schema.js'

/** Drizzle over our tables. */
export type Orm = NodePgDatabase<typeof schema>

type Session = Orm['_']['session']

/** Runs one statement when its turn comes. */
type Take = <T>(run: () => Promise<T>) => Promise<T>

/** Opens Drizzle on a pool: each statement takes its turn, and fails as the catalogue says, with no SQL in what it throws. */
export function openDrizzle(pool: pg.Pool, take: Take): Orm {
  const orm = drizzle(pool, { schema })
  const { session } = orm._
  govern(session, take)

  // A transaction has a connection of its own, so its statements have no turns to wait for.
  const begin = session.transaction.bind(session)
  session.transaction = async (work, config) => {
    let hasBegun = false
    try {
      return await begin((tx) => {
        hasBegun = true
        govern(tx._.session, (run) => run())
        return work(tx)
      }, config)
    } catch (error) {
      throw hasBegun ? error : toChatError(error)
    }
  }
  return orm
}

// Drizzle makes every statement by prepareQuery, and puts the SQL of one that fails into its error's message: here that is undone.
function govern(session: Session, take: Take): void {
  const prepareQuery = session.prepareQuery.bind(session)
  session.prepareQuery = (...args) => {
    const prepared = prepareQuery(...args)
    const execute = prepared.execute.bind(prepared)
    prepared.execute = async (values) => {
      try {
        return await take(() => execute(values))
      } catch (error) {
        throw error instanceof DrizzleQueryError ? toChatError(error) : error
      }
    }
    return prepared
  }
}
