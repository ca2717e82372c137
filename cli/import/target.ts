import type pg from 'pg'
import type { ChatType, Role } from '../../contract/shapes.js'

/** A chat as ours has it, with its members in the order of their coming. */
export interface NewChat {
  id: string
  type: ChatType
  title: string | null
  pair: string | null
  createdAt: Date
  members: { userId: string; role: Role; joinedAt: Date }[]
}

export interface NewMessage {
  id: string
  chatId: string
  senderId: string
  clientMessageId: string
  content: string | null
  metadata: object | null
  replyToId: string | null
  createdAt: Date
  editedAt: Date | null
  deletedAt: Date | null
}

/** How far a member has read: by a time, or by the last message of others that was flagged as read. */
export interface NewMark {
  chatId: string
  userId: string
  readAt: Date | 'infinity' | null
  lastReadId: string | null
  isByFlags: boolean
}

/** Writes in batches, each a transaction; what is there already is left as it is. Each method answers how many were new. */
export function createTarget(client: pg.Client) {
  /** Runs statements on the same rows in one transaction; answers what the last one counted. */
  async function write(statements: string[], rows: object[]): Promise<number[]> {
    await client.query('BEGIN')
    let counted: object = {}
    for (const sql of statements) {
      const result = await client.query(sql, [JSON.stringify(rows)])
      counted = result.rows[0] ?? {}
    }
    await client.query('COMMIT')
    return Object.values(counted).map(Number)
  }
  const writeOne = async (statements: string[], rows: object[]) => (await write(statements, rows))[0] ?? 0

  return {
    users: (rows: { id: string; name: string; avatarUrl: string | null; createdAt: Date; lastSeenAt: Date | null }[]) =>
      writeOne([LAST_SEEN, USERS], rows),
    chats: async (rows: NewChat[]) => {
      const [made = 0, founders = 0] = await write([CHATS], rows)
      return { made, members: founders + (await writeOne([LOCK('id'), JOIN], rows)) }
    },
    messages: (rows: NewMessage[]) => writeOne([LOCK('chatId'), MESSAGES], rows),
    marks: (rows: NewMark[]) => writeOne([MARKS], rows),
  }
}

const LAST_SEEN = `
INSERT INTO user_states (user_id, last_seen_at)
SELECT r.id, r."lastSeenAt" FROM json_to_recordset($1) AS r (id text, "lastSeenAt" timestamptz)
WHERE r."lastSeenAt" IS NOT NULL ORDER BY 1 ON CONFLICT DO NOTHING`

const USERS = `
WITH fresh AS (
  INSERT INTO users (id, name, avatar_url, created_at)
  SELECT r.id, r.name, r."avatarUrl", r."createdAt"
  FROM json_to_recordset($1) AS r (id text, name text, "avatarUrl" text, "createdAt" timestamptz)
  ORDER BY 1 ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) FROM fresh`

const LOCK = (field: string) => `
SELECT FROM chats WHERE id IN (SELECT r->>'${field}' FROM json_array_elements($1::json) r) ORDER BY id FOR NO KEY UPDATE`

// Revision 1 is the chat with its founders. Of several chats of one pair the first has the key by which a direct chat is found again.
const CHATS = `
WITH input AS (
  SELECT r.*, row_number() OVER () AS ord FROM json_to_recordset($1) AS r (
    id text, type text, title text, pair text, "createdAt" timestamptz, members json)
), fresh AS (
  INSERT INTO chats (id, type, title, direct_key, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
  SELECT i.id, i.type, i.title,
    CASE WHEN i.ord = min(i.ord) OVER (PARTITION BY i.pair)
      AND NOT EXISTS (SELECT 1 FROM chats c WHERE c.direct_key = i.pair) THEN i.pair END,
    'all', json_array_length(i.members), 1, 0, i."createdAt", i."createdAt"
  FROM input i ORDER BY i.ord
  ON CONFLICT (id) DO NOTHING RETURNING id, created_at
), founded AS (
  INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
  SELECT f.id, m."userId", m.role, m."joinedAt", 1, 0, 1
  FROM fresh f JOIN input i ON i.id = f.id,
    json_to_recordset(i.members) AS m ("userId" text, role text, "joinedAt" timestamptz)
  RETURNING 1
), logged AS (
  INSERT INTO chat_log (chat_id, revision, kind, at) SELECT f.id, 1, 'chat_created', f.created_at FROM fresh f
)
SELECT (SELECT count(*) FROM fresh) AS made, (SELECT count(*) FROM founded) AS founders`

// Who came in the old service after an earlier run: a revision each.
const JOIN = `
WITH joiners AS (
  SELECT c.id, m."userId" AS user_id, CASE m.role WHEN 'owner' THEN 'admin' ELSE m.role END AS role, m."joinedAt" AS joined_at,
    c.last_seq, c.revision + (row_number() OVER (PARTITION BY c.id ORDER BY m."joinedAt", m."userId"))::integer AS revision
  FROM json_to_recordset($1) AS r (id text, members json)
  JOIN chats c ON c.id = r.id,
    json_to_recordset(r.members) AS m ("userId" text, role text, "joinedAt" timestamptz)
  WHERE c.type = 'group'
    AND NOT EXISTS (SELECT 1 FROM chat_log l WHERE l.chat_id = c.id AND l.user_id = m."userId")
    AND NOT EXISTS (SELECT 1 FROM members b WHERE b.chat_id = c.id AND b.user_id = m."userId")
), joined AS (
  INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
  SELECT id, user_id, role, joined_at, revision, last_seq, 1 FROM joiners
), logged AS (
  INSERT INTO chat_log (chat_id, revision, kind, user_id, role, joined_at, at)
  SELECT id, revision, 'member_added', user_id, role, joined_at, joined_at FROM joiners
), counted AS (
  UPDATE chats c SET revision = n.revision, member_count = c.member_count + n.joined
  FROM (SELECT id, max(revision) AS revision, count(*)::integer AS joined FROM joiners GROUP BY id) n WHERE c.id = n.id
)
SELECT count(*) FROM joiners`

// The chats are locked by the statement before, so that numbers read here are the last.
const MESSAGES = `
WITH input AS MATERIALIZED (
  SELECT r.*, row_number() OVER () AS ord FROM json_to_recordset($1) AS r (
    id uuid, "chatId" text, "senderId" text, "clientMessageId" text, content text, metadata jsonb, "replyToId" uuid,
    "createdAt" timestamptz, "editedAt" timestamptz, "deletedAt" timestamptz)
), fresh AS MATERIALIZED (
  SELECT i.*, c.last_seq + (row_number() OVER w)::integer AS seq, c.revision + (row_number() OVER w)::integer AS revision
  FROM input i JOIN chats c ON c.id = i."chatId"
  WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = i.id)
  WINDOW w AS (PARTITION BY i."chatId" ORDER BY i.ord)
), stored AS (
  INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, metadata, reply_to_id, created_at, edited_at, deleted_at)
  SELECT f.id, f."chatId", f.seq, f.revision, f."senderId", f."clientMessageId", f.content, f.metadata,
    CASE WHEN EXISTS (SELECT 1 FROM messages m WHERE m.id = f."replyToId" AND m.chat_id = f."chatId")
      OR EXISTS (SELECT 1 FROM input o WHERE o.id = f."replyToId" AND o."chatId" = f."chatId") THEN f."replyToId" END,
    f."createdAt", f."editedAt", f."deletedAt"
  FROM fresh f
), logged AS (
  INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
  SELECT f."chatId", f.revision, 'message_created', f.id, f."senderId", f."createdAt" FROM fresh f
), counted AS (
  UPDATE chats c SET last_seq = n.seq, revision = n.revision, last_activity_at = greatest(c.last_activity_at, n.at)
  FROM (SELECT "chatId", max(seq) AS seq, max(revision) AS revision, max("createdAt") AS at FROM fresh GROUP BY 1) n
  WHERE c.id = n."chatId"
)
SELECT count(*) FROM fresh`

// A mark moves to the last message by then, and over one's own. By flags it stops before the first message of others behind the last one that is
// flagged, whatever one has said oneself: nothing that the old service calls unread counts as read. It never goes back.
const MARKS = `
WITH marks AS (
  SELECT b.chat_id, b.user_id, CASE WHEN r."isByFlags" THEN
    coalesce((SELECT min(m.seq) - 1 FROM messages m
      WHERE m.chat_id = b.chat_id AND m.sender_id <> b.user_id AND m.deleted_at IS NULL
        AND m.seq > coalesce((SELECT l.seq FROM messages l WHERE l.id = r."lastReadId"), 0)), c.last_seq)
  ELSE least(c.last_seq, greatest(
    (SELECT max(m.seq) FROM messages m WHERE m.chat_id = b.chat_id AND m.created_at <= r."readAt"),
    (SELECT max(m.seq) FROM messages m WHERE m.chat_id = b.chat_id AND m.sender_id = b.user_id))) END AS seq
  FROM json_to_recordset($1) AS r ("chatId" text, "userId" text, "readAt" timestamptz, "lastReadId" uuid, "isByFlags" boolean)
  JOIN members b ON b.chat_id = r."chatId" AND b.user_id = r."userId"
  JOIN chats c ON c.id = b.chat_id
), moved AS (
  UPDATE members b SET last_read_seq = marks.seq FROM marks
  WHERE b.chat_id = marks.chat_id AND b.user_id = marks.user_id AND marks.seq > b.last_read_seq RETURNING 1)
SELECT count(*) FROM moved`
