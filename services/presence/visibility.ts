import type { Database } from '../db/index.js'

export type Visibility = ReturnType<typeof createVisibility>

/** Who may know of whom: people who share a chat. */
export function createVisibility(db: Pick<Database, 'run'>) {
  return {
    /** Of some users, those whose presence a viewer may know; oneself always. */
    async visibleTo(viewerId: string, userIds: string[]): Promise<Set<string>> {
      const rows = await db.run<{ user_id: string }>('visible_to', VISIBLE, [viewerId, userIds])
      const visible = new Set(rows.map((row) => row.user_id))
      if (userIds.includes(viewerId)) visible.add(viewerId)
      return visible
    },

    /** Of some watchers of one user each, those who may know; pairs are [watcher, watched]. */
    async visiblePairs(viewerIds: string[], userIds: string[]): Promise<Set<string>> {
      const rows = await db.run<{ viewer: string; watched: string }>('visible_pairs', PAIRS, [viewerIds, userIds])
      return new Set(rows.map(({ viewer, watched }) => pairOf(viewer, watched)))
    },

    /** The chats along which each user's presence is pushed: those of at most `maxMembers`. */
    async pushChats(userIds: string[], maxMembers: number): Promise<Map<string, string[]>> {
      const rows = await db.run<{ user_id: string; chat_ids: string[] }>('push_chats', PUSH_CHATS, [
        userIds,
        maxMembers,
      ])
      return new Map(rows.map((row) => [row.user_id, row.chat_ids]))
    },
  }
}

/** The key of a watcher and whom they watch. */
export const pairOf = (viewer: string, watched: string) => JSON.stringify([viewer, watched])

const VISIBLE = `
SELECT u.id AS user_id FROM unnest($2::text[]) AS u (id)
WHERE EXISTS (
  SELECT 1 FROM members a JOIN members b ON b.chat_id = a.chat_id AND b.user_id = u.id WHERE a.user_id = $1)`

const PAIRS = `
SELECT DISTINCT a.user_id AS viewer, b.user_id AS watched
FROM members a JOIN members b ON b.chat_id = a.chat_id
WHERE a.user_id = ANY ($1) AND b.user_id = ANY ($2)`

const PUSH_CHATS = `
SELECT b.user_id, array_agg(b.chat_id) AS chat_ids
FROM members b JOIN chats c ON c.id = b.chat_id
WHERE b.user_id = ANY ($1) AND c.member_count <= $2
GROUP BY b.user_id`
