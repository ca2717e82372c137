import { and, eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { alias, type PgColumn } from 'drizzle-orm/pg-core'
import type { Database } from './index.js'
import { blocks, members } from './schema.js'

/** Whether a column is one of an array bound as one value, so that a prepared statement is the same for any number. */
export const isAnyOf = (column: PgColumn, name: string): SQL => sql`${column} = ANY (${sql.placeholder(name)})`

/** Whether two users are in one chat; looked up for each pair, where EXISTS could read and hash the whole table. */
export function shareChat(db: Pick<Database, 'select'>, one: SQLWrapper, other: SQLWrapper): SQL {
  const mine = alias(members, 'mine')
  const theirs = alias(members, 'theirs')
  const shared = db
    .select({ found: sql`true` })
    .from(mine)
    .innerJoin(theirs, and(eq(theirs.chatId, mine.chatId), eq(theirs.userId, other)))
    .where(eq(mine.userId, one))
    .limit(1)
  return sql`${shared}`
}

/** Whether neither of two users has blocked the other; looked up as `shareChat` does. */
export function notApart(db: Pick<Database, 'select'>, one: SQLWrapper, other: SQLWrapper): SQL {
  const blocked = (user: SQLWrapper, by: SQLWrapper) =>
    db
      .select({ found: sql`true` })
      .from(blocks)
      .where(and(eq(blocks.userId, by), eq(blocks.blockedUserId, user)))
      .limit(1)
  return sql`coalesce(${blocked(one, other)}, ${blocked(other, one)}) IS NULL`
}
