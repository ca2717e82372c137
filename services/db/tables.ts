import type { Orm } from './drizzle.js'

export * from './schema.js'

declare module './index.js' {
  /** With the tables come Drizzle's types: without them, a host that never queries needs neither drizzle-orm nor its declarations. */
  interface Database extends Orm {}
}
