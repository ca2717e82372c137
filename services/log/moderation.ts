import type { Output } from '../../contract/commands.js'
import { MAX_BANS, MAX_BLOCKED_USERS, PAGES } from '../../contract/limits.js'
import type { Role } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Database } from '../db/index.js'
import { toUser } from './entities.js'
import { change, granted, type Outcome, type WrittenRow } from './outcomes.js'

const OF_CHAT = { columns: '(outcome)', chat: '$1::text' }
const MUTE = { ...OF_CHAT, name: 'log_mute_member', args: '$1, $2, $3, $4', lines: '1' }
// Who is taken out may leave the chat to an heir.
const BAN = { ...OF_CHAT, name: 'log_ban_member', args: '$1, $2, $3, $4', lines: '2' }
const UNBAN = { ...OF_CHAT, name: 'log_unban_member', args: '$1, $2, $3', lines: '1' }

interface BanRow extends Record<string, unknown> {
  role: Role | null
  is_direct: boolean
  user_id: string | null
  name: string | null
  avatar_url: string | null
  actor_id: string | null
  at: string
}

interface BlockRow extends Outcome, Record<string, unknown> {
  blocked: string[]
}

/** The key of a direct chat: its pair, in one order. */
export const pairKeyOf = (userIds: string[]): string => JSON.stringify([...new Set(userIds)].sort())

/** What owners, admins and services do against a member of a group, and a user against another; a null actor is a service. */
export function createModeration(db: Pick<Database, 'run'>) {
  return {
    mute: (chatId: string, actorId: string | null, userId: string, until: string | null): Promise<WrittenRow> =>
      change(db, MUTE, [chatId, actorId, userId, until]),

    ban: (chatId: string, actorId: string | null, userId: string): Promise<WrittenRow> =>
      change(db, BAN, [chatId, actorId, userId, MAX_BANS]),

    /** Lets a user be added to a group again. */
    async unban(chatId: string, actorId: string | null, userId: string): Promise<void> {
      await change(db, UNBAN, [chatId, actorId, userId])
    },

    /** A page of those who are kept out of a group, by user id, for an owner, an admin or a service. */
    async listBans(
      chatId: string,
      actorId: string | null,
      cursor: string | undefined,
      limit: number = PAGES.bans.standard,
    ): Promise<Output<'list_bans'>> {
      const [after = ''] = cursor === undefined ? [] : readCursor(cursor, 'id')
      const rows = await db.run<BanRow>('bans', BANS, [chatId, actorId, after, limit + 1])
      granted({ outcome: refusalOf(rows[0], actorId) })
      const bans = rows.flatMap(({ user_id, name, avatar_url, actor_id, at }) =>
        user_id === null ? [] : [{ user: toUser(user_id, name, avatar_url), actorId: actor_id, at }],
      )
      const last = bans.length > limit ? bans[limit - 1] : undefined
      return { bans: bans.slice(0, limit), nextCursor: last ? writeCursor(last.user.userId) : null }
    },

    /** Has a user block another, or no longer; answers whom they block now, the first first. */
    async setBlock(userId: string, blockedUserId: string, isPut: boolean): Promise<string[]> {
      const values = [userId, blockedUserId, pairKeyOf([userId, blockedUserId]), isPut, MAX_BLOCKED_USERS]
      const [row] = await db.run<BlockRow>('log_set_block', 'SELECT * FROM log_set_block($1, $2, $3, $4, $5)', values)
      return granted(row).blocked
    },
  }
}

function refusalOf(row: BanRow | undefined, actorId: string | null): Outcome['outcome'] {
  if (!row || (actorId !== null && row.role === null)) return 'no_chat'
  if (row.is_direct) return 'direct'
  return actorId !== null && row.role === 'member' ? 'forbidden' : 'ok'
}

// A chat has a row even when nobody is kept out of it.
const BANS = `
SELECT v.role, c.type = 'direct' AS is_direct, b.user_id, u.name, u.avatar_url, b.actor_id, b.at
FROM chats c
LEFT JOIN members v ON v.chat_id = c.id AND v.user_id = $2
LEFT JOIN LATERAL (SELECT * FROM bans WHERE chat_id = c.id AND user_id > $3 ORDER BY user_id LIMIT $4) b ON true
LEFT JOIN users u ON u.id = b.user_id
WHERE c.id = $1 AND c.deleted_at IS NULL ORDER BY b.user_id`
