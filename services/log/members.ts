import { and, eq, exists, gt, isNull, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { ChatError } from '../../contract/errors.js'
import { PAGES } from '../../contract/limits.js'
import type { Member } from '../../contract/shapes.js'
import { readCursor, writeCursor } from '../cursors.js'
import { patiently } from '../db/drizzle.js'
import type { Asker, Database } from '../db/index.js'
import { chats, members, users } from '../db/schema.js'
import { toMember } from './entities.js'

/** Who is in a chat, as its members see it. */
export function createMembers(db: Pick<Database, 'select'>) {
  const statements = prepareStatements(db)

  return {
    /** A page of members by user id; NOT_FOUND for a user who is none (a null user is a service). */
    async listMembers(
      userId: string | null,
      chatId: string,
      cursor: string | undefined,
      limit: number = PAGES.members.standard,
      by: Asker = { userId: userId ?? '' },
    ): Promise<{ members: Member[]; nextCursor: string | null }> {
      const [after] = cursor === undefined ? [''] : readCursor(cursor, 'id')
      const rows = await statements.page.execute({ chatId, userId, after, limit: limit + 1, ...patiently(by) })
      // A member's own row is always on some page, so an empty one needs a second look.
      if (rows.length === 0 && (await statements.visible.execute({ chatId, userId })).length === 0)
        throw new ChatError('NOT_FOUND')
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return {
        members: rows.slice(0, limit).map(toMember),
        nextCursor: last ? writeCursor(last.user_id) : null,
      }
    },
  }
}

function prepareStatements(db: Pick<Database, 'select'>) {
  const chatId = sql.placeholder('chatId')
  const userId = sql.placeholder('userId')
  const reader = alias(members, 'reader')
  const mayRead = or(
    sql`${userId}::text IS NULL`,
    exists(
      db
        .select({ one: sql`1` })
        .from(reader)
        .where(and(eq(reader.chatId, chatId), eq(reader.userId, userId))),
    ),
  )

  return {
    page: db
      .select({
        chat_id: members.chatId,
        user_id: members.userId,
        name: users.name,
        avatar_url: users.avatarUrl,
        role: members.role,
        joined_at: members.joinedAt,
        muted_until: members.mutedUntil,
      })
      .from(members)
      .leftJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.chatId, chatId), gt(members.userId, sql.placeholder('after')), mayRead))
      .orderBy(members.userId)
      .limit(sql.placeholder('limit'))
      .prepare('chat_members'),

    visible: db
      .select({ id: chats.id })
      .from(chats)
      .where(and(eq(chats.id, chatId), isNull(chats.deletedAt), mayRead))
      .prepare('chat_visible'),
  }
}
