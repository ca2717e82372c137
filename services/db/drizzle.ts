import { DrizzleQueryError } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import { toChatError } from './errors.js'
import type { Asker } from './rounds.js'
import * as schema from './schema.js'
import type { Turn } from './turns.js'

/** Drizzle over our tables. */
export type Orm = NodePgDatabase<typeof schema>

type Session = Orm['_']['session']

/** Runs one statement when its turn comes. */
export type Take = <T>(turn: Turn, run: () => Promise<T>) => Promise<T>

const BY = Symbol('asker')

/** What goes with the values of a prepared read that waits patiently, and for whom. */
export const patiently = (by: Asker): object => ({ [BY]: by })

const askerIn = (values: object | undefined): Asker | undefined => (values as { [BY]?: Asker } | undefined)?.[BY]

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
        govern(tx._.session, (_turn, run) => run())
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
      const by = askerIn(values)
      try {
        return await take(by ? { by } : {}, () => execute(values))
      } catch (error) {
        throw error instanceof DrizzleQueryError ? toChatError(error, by !== undefined) : error
      }
    }
    return prepared
  }
}
