import { query } from './postgres.js'

/** Who is in which chat. */
export type Membership = [chatId: string, userId: string]

/** Chats of so many members each; each user is in as many as it takes. */
export function layout(chats: number, members: number, users = chats * members): Membership[] {
  return Array.from({ length: chats * members }, (_, i): Membership => {
    const chat = Math.floor(i / members)
    return [`c${chat}`, `u${(chat * Math.max(1, Math.floor(users / chats)) + (i % members)) % users}`]
  })
}

/** Users who are in so many chats each, next to each other in a ring of chats. */
export function ring(users: number, each: number, chats: number): Membership[] {
  return Array.from({ length: users }).flatMap((_, user) =>
    Array.from({ length: each }, (_, i): Membership => [`c${(user + i) % chats}`, `u${user}`]),
  )
}

const split = (members: Membership[]) => [members.map(([chatId]) => chatId), members.map(([, userId]) => userId)]

/** Puts chats and members into a migrated database of ours. */
export async function seedOurs(url: string, members: Membership[]): Promise<void> {
  await query(
    url,
    `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[]) AS g (chat_id, user_id)),
    people AS (INSERT INTO users (id, name) SELECT DISTINCT user_id, user_id FROM given ON CONFLICT DO NOTHING),
    made AS (
      INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
      SELECT chat_id, 'group', 'all', count(*), 1, 0, now(), now() FROM given GROUP BY chat_id RETURNING id
    ), logged AS (
      INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) SELECT DISTINCT chat_id, 1, 'chat_created', 'u0', now() FROM given
    ), joined AS (
      INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
      SELECT chat_id, user_id, 'member', now(), 1, 0, 1 FROM given
    )
    SELECT 1`,
    split(members),
  )
  await query(url, 'VACUUM ANALYZE')
}

const ORIGINAL = `
CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL, last_seen_at timestamptz);
CREATE TABLE chats (id text PRIMARY KEY, last_message_id uuid, updated_at timestamptz);
CREATE TABLE chat_members (chat_id text NOT NULL REFERENCES chats (id), user_id text NOT NULL REFERENCES users (id), PRIMARY KEY (chat_id, user_id));
CREATE INDEX chat_members_user ON chat_members (user_id);
CREATE TABLE messages (
  id uuid PRIMARY KEY, chat_id text NOT NULL REFERENCES chats (id), sender_id text NOT NULL REFERENCES users (id),
  content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX messages_chat ON messages (chat_id, created_at);`

/** The same in the original design's tables. */
export async function seedOriginal(url: string, members: Membership[]): Promise<void> {
  const values = split(members)
  await query(url, ORIGINAL)
  await query(url, 'INSERT INTO users (id, name) SELECT DISTINCT u, u FROM unnest($1::text[]) AS u', [values[1]])
  await query(url, 'INSERT INTO chats (id) SELECT DISTINCT c FROM unnest($1::text[]) AS c', [values[0]])
  await query(url, 'INSERT INTO chat_members SELECT * FROM unnest($1::text[], $2::text[])', values)
  await query(url, 'VACUUM ANALYZE')
}
