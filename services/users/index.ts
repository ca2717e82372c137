import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import { toUser } from '../log/entities.js'

/** A user as a handshake sees them. */
export interface Account {
  user: User
  isDeleted: boolean
  /** Tokens issued before this are not good; 0 when all are. */
  tokensValidFromMs: number
}

/** When somebody went offline, and as which version of their presence. */
export interface LastSeen {
  userId: string
  lastSeenAtMs: number
  version: number
}

export type Users = ReturnType<typeof createUsers>

interface UserRow extends Record<string, unknown> {
  id: string
  name: string
  avatar_url: string | null
}

interface AccountRow extends UserRow {
  deleted_at: string | null
  tokens_valid_from: string | null
}

/** The users of the database; where they are a host's view, they are read and never written. */
export function createUsers(db: Pick<Database, 'run'> & Partial<Pick<Database, 'hasForeignUsers'>>) {
  const toProfile = (row: UserRow) => toUser(row.id, row.name, row.avatar_url)

  return {
    /** Accounts by user id; unknown ones have no entry. */
    async getAccounts(userIds: string[]): Promise<Map<string, Account>> {
      const rows = await db.run<AccountRow>('accounts', ACCOUNTS, [userIds])
      return new Map(
        rows.map((row) => [
          row.id,
          {
            user: toProfile(row),
            isDeleted: row.deleted_at !== null,
            tokensValidFromMs: row.tokens_valid_from === null ? 0 : Date.parse(row.tokens_valid_from),
          },
        ]),
      )
    },

    /** Profiles that a viewer may see, in the order asked: their own and those of people they share a chat with; a null viewer is a service. */
    async getProfiles(viewerId: string | null, userIds: string[]): Promise<User[]> {
      const rows = await db.run<UserRow>('profiles', PROFILES, [viewerId, userIds])
      return rows.map(toProfile)
    },

    /** Those of some ids that are no users, or have a tombstone. */
    async findUnknown(userIds: string[]): Promise<string[]> {
      const accounts = await this.getAccounts(userIds)
      return userIds.filter((userId) => accounts.get(userId)?.isDeleted !== false)
    },

    /** Makes users that are not there yet, from what their tokens say. */
    async ensure(profiles: User[]): Promise<void> {
      if (db.hasForeignUsers) return
      await db.run(
        'ensure_users',
        `INSERT INTO users (id, name, avatar_url) SELECT u.id, u.name, u.avatar_url
         FROM json_to_recordset($1) AS u (id text, name text, avatar_url text) ON CONFLICT DO NOTHING`,
        [JSON.stringify(profiles.map(({ userId, name, avatarUrl }) => ({ id: userId, name, avatar_url: avatarUrl })))],
      )
    },

    /** Keeps a profile that a host has answered, unless the user has a tombstone. */
    async keep({ userId, name, avatarUrl }: User): Promise<void> {
      if (!db.hasForeignUsers) await db.run('keep_user', KEEP_USER, [userId, name, avatarUrl])
    },

    /** Makes or changes a user; a tombstone is taken away. CONFLICT where the users are a host's. */
    async put({ userId, name, avatarUrl }: User): Promise<{ user: User; created: boolean }> {
      if (db.hasForeignUsers)
        throw new ChatError('CONFLICT', { message: 'The host owns the users: change them there.' })
      const [row] = await db.run<UserRow & { created: boolean }>('put_user', PUT_USER, [userId, name, avatarUrl])
      return { user: toUser(userId, name, avatarUrl), created: row?.created ?? false }
    },

    /** Makes all tokens issued so far worthless. */
    async revokeTokens(userId: string): Promise<void> {
      await db.run(
        'revoke_tokens',
        `INSERT INTO user_states (user_id, tokens_valid_from) VALUES ($1, now())
         ON CONFLICT (user_id) DO UPDATE SET tokens_valid_from = now()`,
        [userId],
      )
    },

    /** When users who are offline were last seen; those who never were have no entry. */
    async getLastSeen(userIds: string[]): Promise<Map<string, LastSeen>> {
      const rows = await db.run<{ user_id: string; last_seen_at: string; presence_version: string | null }>(
        'last_seen',
        'SELECT user_id, last_seen_at, presence_version FROM user_states WHERE user_id = ANY ($1) AND last_seen_at IS NOT NULL',
        [userIds],
      )
      return new Map(
        rows.map((row) => [
          row.user_id,
          {
            userId: row.user_id,
            lastSeenAtMs: Date.parse(row.last_seen_at),
            version: Number(row.presence_version ?? 0),
          },
        ]),
      )
    },

    /** Keeps when users were last seen; an older version never replaces a newer. */
    async saveLastSeen(seen: LastSeen[]): Promise<void> {
      await db.run('save_last_seen', SAVE_LAST_SEEN, [JSON.stringify(seen)])
    },
  }
}

const ACCOUNTS = `
SELECT u.id, u.name, u.avatar_url, s.deleted_at, s.tokens_valid_from
FROM users u LEFT JOIN user_states s ON s.user_id = u.id
WHERE u.id = ANY ($1)`

const PROFILES = `
SELECT u.id, u.name, u.avatar_url
FROM unnest($2::text[]) WITH ORDINALITY AS asked (id, ord)
JOIN users u ON u.id = asked.id
WHERE $1::text IS NULL OR u.id = $1 OR EXISTS (
  SELECT 1 FROM members a JOIN members b ON b.chat_id = a.chat_id AND b.user_id = u.id WHERE a.user_id = $1)
ORDER BY asked.ord`

const KEEP_USER = `
INSERT INTO users (id, name, avatar_url) SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT 1 FROM user_states WHERE user_id = $1 AND deleted_at IS NOT NULL)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url`

const PUT_USER = `
WITH alive AS (UPDATE user_states SET deleted_at = NULL WHERE user_id = $1)
INSERT INTO users (id, name, avatar_url) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url
RETURNING id, name, avatar_url, xmax = 0 AS created`

const SAVE_LAST_SEEN = `
INSERT INTO user_states AS s (user_id, last_seen_at, presence_version)
SELECT l."userId", to_timestamp(l."lastSeenAtMs" / 1000.0), l.version
FROM json_to_recordset($1) AS l ("userId" text, "lastSeenAtMs" bigint, version bigint)
ORDER BY 1
ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, presence_version = excluded.presence_version
WHERE coalesce(s.presence_version, 0) < excluded.presence_version`
