import { and, eq, lte, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { isAnyOf, notApart, shareChat } from '../db/conditions.js'
import { patiently } from '../db/drizzle.js'
import type { Asker, Database } from '../db/index.js'
import { chats, members } from '../db/schema.js'

export type Visibility = ReturnType<typeof createVisibility>

/** Who may know of whom: people who share a chat, neither of whom has blocked the other. What is pushed asks this node's blocks about that. */
export function createVisibility(db: Database) {
  const statements = prepareStatements(db)

  return {
    /** Of some users, those whose presence a viewer may know; oneself always. */
    async visibleTo(viewer: Asker, userIds: string[]): Promise<Set<string>> {
      const viewerId = viewer.userId
      const rows = await statements.visible.execute({ viewerId, userIds, ...patiently(viewer) })
      const visible = new Set(rows.map(({ userId }) => userId))
      if (userIds.includes(viewerId)) visible.add(viewerId)
      return visible
    },

    /** Of some watchers of one user each, those who share a chat with them; pairs are [watcher, watched]. */
    async visiblePairs(viewerIds: string[], userIds: string[]): Promise<Set<string>> {
      const rows = await statements.pairs.execute({ viewerIds, userIds })
      return new Set(rows.map(({ viewer, watched }) => pairOf(viewer, watched)))
    },

    /** The chats along which each user's presence is pushed: those of at most `maxMembers`. */
    async pushChats(userIds: string[], maxMembers: number): Promise<Map<string, string[]>> {
      const rows = await statements.pushChats.execute({ userIds, maxMembers })
      return new Map(rows.map(({ userId, chatIds }) => [userId, chatIds]))
    },
  }
}

/** The key of a watcher and whom they watch. */
export const pairOf = (viewer: string, watched: string) => JSON.stringify([viewer, watched])

function prepareStatements(db: Pick<Database, 'select' | 'selectDistinct'>) {
  const watcher = alias(members, 'watcher')
  const watched = alias(members, 'watched')

  return {
    visible: db
      .select({ userId: sql<string>`u.id` })
      .from(sql`unnest(${sql.placeholder('userIds')}::text[]) AS u (id)`)
      .where(
        and(
          shareChat(db, sql.placeholder('viewerId'), sql`u.id`),
          notApart(db, sql.placeholder('viewerId'), sql`u.id`),
        ),
      )
      .prepare('visible_to'),

    pairs: db
      .selectDistinct({ viewer: watcher.userId, watched: watched.userId })
      .from(watcher)
      .innerJoin(watched, eq(watched.chatId, watcher.chatId))
      .where(and(isAnyOf(watcher.userId, 'viewerIds'), isAnyOf(watched.userId, 'userIds')))
      .prepare('visible_pairs'),

    pushChats: db
      .select({ userId: members.userId, chatIds: sql<string[]>`array_agg(${members.chatId})` })
      .from(members)
      .innerJoin(chats, eq(chats.id, members.chatId))
      .where(and(isAnyOf(members.userId, 'userIds'), lte(chats.memberCount, sql.placeholder('maxMembers'))))
      .groupBy(members.userId)
      .prepare('push_chats'),
  }
}
