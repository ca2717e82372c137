import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import type { Bus } from '../bus/index.js'
import { publishProfiles } from '../bus/profiles.js'
import { patiently } from '../db/drizzle.js'
import type { Asker, Database } from '../db/index.js'
import { toUser } from '../log/entities.js'
import { exportLines } from './export.js'
import { ENSURE_USERS, KEEP_USER, prepareStatements, SAVE_LAST_SEEN } from './statements.js'

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

/** The users of the database; where they are a host's view, they are read and never written. Without a bus nobody is told. */
export function createUsers(db: Database, bus?: Pick<Bus, 'publish'>) {
  const statements = prepareStatements(db)

  /** Accounts by user id; unknown ones have no entry. */
  async function getAccounts(userIds: string[]): Promise<Map<string, Account>> {
    const rows = await statements.accounts.execute({ userIds })
    return new Map(
      rows.map(({ id, name, avatarUrl, deletedAt, tokensValidFrom }) => [
        id,
        {
          user: toUser(id, name, avatarUrl),
          isDeleted: deletedAt !== null,
          tokensValidFromMs: tokensValidFrom === null ? 0 : Date.parse(tokensValidFrom),
        },
      ]),
    )
  }

  function changed(userIds: string[]): void {
    if (bus) publishProfiles(bus, userIds)
  }

  return {
    getAccounts,

    /** Says that profiles changed, by a host whose users are a view; those who may know them are told how they are now. Any number. */
    changed,

    /** Profiles that a viewer may see, in the order asked: their own and those of people they share a chat with; a null viewer is a service. */
    async getProfiles(
      viewerId: string | null,
      userIds: string[],
      by: Asker = { userId: viewerId ?? '' },
    ): Promise<User[]> {
      const rows = await statements.profiles.execute({ viewerId, userIds, ...patiently(by) })
      const profiles = new Map(rows.map(({ id, name, avatarUrl }) => [id, toUser(id, name, avatarUrl)]))
      return userIds.flatMap((userId) => profiles.get(userId) ?? [])
    },

    /** Those of some ids that are no users, or have a tombstone. */
    async findUnknown(userIds: string[]): Promise<string[]> {
      const accounts = await getAccounts(userIds)
      return userIds.filter((userId) => accounts.get(userId)?.isDeleted !== false)
    },

    /** Makes users that are not there yet, from what their tokens say. */
    async ensure(profiles: User[]): Promise<void> {
      if (!db.hasForeignUsers) await db.run('ensure_users', ENSURE_USERS, [JSON.stringify(profiles)])
    },

    /** Keeps a profile that a host has answered, unless the user has a tombstone. */
    async keep({ userId, name, avatarUrl }: User): Promise<void> {
      if (db.hasForeignUsers) return
      const rows = await db.run('keep_user', KEEP_USER, [userId, name, avatarUrl])
      if (rows.length > 0) changed([userId])
    },

    /** Makes or changes a user; a tombstone is taken away. CONFLICT where the users are a host's. */
    async put({ userId, name, avatarUrl }: User): Promise<{ user: User; created: boolean }> {
      if (db.hasForeignUsers)
        throw new ChatError('CONFLICT', { message: 'The host owns the users: change them there.' })
      const [row] = await statements.put.execute({ userId, name, avatarUrl })
      // A profile that was so already is not written, and answers no row.
      if (row) changed([userId])
      return { user: toUser(userId, name, avatarUrl), created: row?.created ?? false }
    },

    /** Makes all tokens issued so far worthless; answers from when on those that are issued count. */
    async revokeTokens(userId: string): Promise<string> {
      const [row] = await statements.revokeTokens.execute({ userId })
      if (!row?.validFrom) throw new Error('a revocation answers when it was')
      return row.validFrom
    },

    /** All that is kept of a user, as lines of JSON, page by page; NOT_FOUND for who never was. */
    export: (userId: string): Promise<AsyncIterable<string>> => exportLines(db, userId),

    /** When users who are offline were last seen; those who never were have no entry. */
    async getLastSeen(userIds: string[], by?: Asker): Promise<Map<string, LastSeen>> {
      const rows = await statements.lastSeen.execute({ userIds, ...(by && patiently(by)) })
      return new Map(
        rows.map(({ userId, lastSeenAt, version }) => [
          userId,
          { userId, lastSeenAtMs: Date.parse(lastSeenAt), version: version ?? 0 },
        ]),
      )
    },

    /** Keeps when users were last seen; an older version never replaces a newer. */
    async saveLastSeen(seen: LastSeen[]): Promise<void> {
      await db.run('save_last_seen', SAVE_LAST_SEEN, [JSON.stringify(seen)])
    },
  }
}
