import { and, eq, isNotNull, or, sql } from 'drizzle-orm'
import { isAnyOf, notApart, shareChat } from '../db/conditions.js'
import type { Database } from '../db/index.js'
import { userStates, users } from '../db/schema.js'

const { placeholder } = sql
const PROFILE = { id: users.id, name: users.name, avatarUrl: users.avatarUrl }

/** The statements of users that the query builder makes, prepared. */
export function prepareStatements(db: Pick<Database, 'select' | 'insert' | 'update' | '$with' | 'with'>) {
  const alive = db.$with('alive').as(
    db
      .update(userStates)
      .set({ deletedAt: null })
      .where(eq(userStates.userId, placeholder('userId'))),
  )

  return {
    accounts: db
      .select({ ...PROFILE, deletedAt: userStates.deletedAt, tokensValidFrom: userStates.tokensValidFrom })
      .from(users)
      .leftJoin(userStates, eq(userStates.userId, users.id))
      .where(isAnyOf(users.id, 'userIds'))
      .prepare('accounts'),

    profiles: db
      .select(PROFILE)
      .from(users)
      .where(
        and(
          isAnyOf(users.id, 'userIds'),
          or(
            sql`${placeholder('viewerId')}::text IS NULL`,
            eq(users.id, placeholder('viewerId')),
            and(shareChat(db, placeholder('viewerId'), users.id), notApart(db, placeholder('viewerId'), users.id)),
          ),
        ),
      )
      .prepare('profiles'),

    put: db
      .with(alive)
      .insert(users)
      .values({ id: placeholder('userId'), name: placeholder('name'), avatarUrl: placeholder('avatarUrl') })
      .onConflictDoUpdate({
        target: users.id,
        set: { name: sql`excluded.name`, avatarUrl: sql`excluded.avatar_url` },
        setWhere: sql`(${users.name}, ${users.avatarUrl}) IS DISTINCT FROM (excluded.name, excluded.avatar_url)`,
      })
      .returning({ created: sql<boolean>`xmax = 0` })
      .prepare('put_user'),

    revokeTokens: db
      .insert(userStates)
      // The next millisecond: whatever was issued before now lies below it.
      .values({
        userId: placeholder('userId'),
        tokensValidFrom: sql`date_trunc('milliseconds', now()) + interval '1 millisecond'`,
      })
      // A clock that is put back revives no token.
      .onConflictDoUpdate({
        target: userStates.userId,
        set: { tokensValidFrom: sql`greatest(${userStates.tokensValidFrom}, excluded.tokens_valid_from)` },
      })
      .returning({ validFrom: userStates.tokensValidFrom })
      .prepare('revoke_tokens'),

    lastSeen: db
      .select({
        userId: userStates.userId,
        lastSeenAt: sql<string>`${userStates.lastSeenAt}`.mapWith(userStates.lastSeenAt),
        version: userStates.presenceVersion,
      })
      .from(userStates)
      .where(and(isAnyOf(userStates.userId, 'userIds'), isNotNull(userStates.lastSeenAt)))
      .prepare('last_seen'),
  }
}

// Of any number of users as one value, or with a condition: the builder would make another statement for each number, or none.

/** Users to be made, in JSON, where they are not there yet. */
export const ENSURE_USERS = `
INSERT INTO users (id, name, avatar_url) SELECT u."userId", u.name, u."avatarUrl"
FROM json_to_recordset($1) AS u ("userId" text, name text, "avatarUrl" text) ON CONFLICT DO NOTHING`

/** A user to be made or changed, unless there is a tombstone; answers a row where that changed something. */
export const KEEP_USER = `
INSERT INTO users AS u (id, name, avatar_url) SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT 1 FROM user_states WHERE user_id = $1 AND deleted_at IS NOT NULL)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url
WHERE (u.name, u.avatar_url) IS DISTINCT FROM (excluded.name, excluded.avatar_url)
RETURNING id`

/** When users were last seen, in JSON. */
export const SAVE_LAST_SEEN = `
INSERT INTO user_states AS s (user_id, last_seen_at, presence_version)
SELECT l."userId", to_timestamp(l."lastSeenAtMs" / 1000.0), l.version
FROM json_to_recordset($1) AS l ("userId" text, "lastSeenAtMs" bigint, version bigint)
ORDER BY 1
ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, presence_version = excluded.presence_version
WHERE coalesce(s.presence_version, 0) < excluded.presence_version`
