import type { Message } from '../../contract/shapes.js'
import type { Asker, Database } from '../db/index.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'
import { WORDS } from './search-index.js'

/** A place in the order of a search: what comes next is older. */
export interface Place {
  time: string
  id: string
}

export interface Walk {
  userId: string
  query: string
  chatId: string | null
  senderId: string | null
  /** Messages of this time and older are not asked for. */
  after: string | null
  before: Place | null
  limit: number
  by: Asker
}

/** What a walk came across; `next` is where it goes on, and null at the end. */
export interface Walked {
  messages: Message[]
  next: Place | null
  /** More messages than a step may look at are of one and the same moment. */
  isStuck: boolean
}

interface WalkRow extends MessageRow, Record<string, unknown> {
  looked_at: string | null
  looked_id: string | null
  more: boolean
}

/** Messages that one step looks at, and how many of one chat it does at least. */
const LOOKED_AT = 2_000
const OF_A_CHAT = 200
/** Steps until something is found; each waits its own turn. */
const STEPS = 5

/** Goes through a user's chats from the newest message on, where a query is too frequent for its index: a step costs the same, however many messages there are. */
export function createWalk(db: Pick<Database, 'run'>, limitMs: number) {
  async function step({ userId, query, chatId, senderId, after, before, limit, by }: Walk): Promise<Walked> {
    const place = [before?.time ?? null, before?.id ?? null]
    const values = [userId, query, chatId, ...place, limit + 1, LOOKED_AT, OF_A_CHAT, senderId, after]
    const rows = await db.run<WalkRow>('search_walk', WALK, values, { by, limitMs })
    const found = rows.filter(({ m_id }) => m_id !== null)
    const messages = found.slice(0, limit).map(toMessage)
    const last = messages.at(-1)
    if (found.length > limit && last) return { messages, next: { time: last.createdAt, id: last.id }, isStuck: false }
    const [head] = rows
    if (!head?.more) return { messages, next: null, isStuck: false }
    if (after !== null && head.looked_at !== null && Date.parse(head.looked_at) <= Date.parse(after)) {
      return { messages, next: null, isStuck: false }
    }
    if (head.looked_at === null || head.looked_id === null) return { messages, next: before, isStuck: true }
    return { messages, next: { time: head.looked_at, id: head.looked_id }, isStuck: false }
  }

  return async function walk(asked: Walk): Promise<Walked> {
    let walked = await step(asked)
    for (let i = 1; i < STEPS && walked.messages.length === 0 && walked.next && !walked.isStuck; i += 1) {
      walked = await step({ ...asked, before: walked.next })
    }
    return walked
  }
}

// Within a chat times follow the seqs. So where the walk goes on in each chat is found by halving; and what is newer than the time that
// some chat has after its share is complete in all of them.
const WALK = `
WITH RECURSIVE mine AS (
  SELECT b.chat_id, c.last_activity_at, c.last_seq,
    greatest(c.first_seq, CASE WHEN c.history_visibility = 'all' THEN 1 ELSE b.visible_from_seq END) AS first_seq
  FROM members b JOIN chats c ON c.id = b.chat_id
  WHERE b.user_id = $1 AND ($3::text IS NULL OR b.chat_id = $3) AND ($10::timestamptz IS NULL OR c.last_activity_at > $10)
), halved AS (
  SELECT chat_id, CASE WHEN $4::timestamptz IS NULL OR last_activity_at <= $4 THEN last_seq ELSE first_seq - 1 END AS low, last_seq + 1 AS high
  FROM mine
  UNION ALL
  SELECT h.chat_id, CASE WHEN x.created_at > $4 THEN h.low ELSE (h.low + h.high) / 2 END,
    CASE WHEN x.created_at > $4 THEN (h.low + h.high) / 2 ELSE h.high END
  FROM halved h LEFT JOIN LATERAL (
    SELECT created_at FROM messages WHERE chat_id = h.chat_id AND seq = (h.low + h.high) / 2 LIMIT 1) x ON true
  WHERE h.high - h.low > 1
), share AS (
  SELECT least($7::integer, greatest($8::integer, $7::integer / greatest(count(*), 1)::integer)) AS size FROM mine
), spans AS MATERIALIZED (
  SELECT m.chat_id, m.first_seq, m.last_activity_at, h.low AS start, share.size
  FROM mine m JOIN halved h ON h.chat_id = m.chat_id AND h.high - h.low <= 1 CROSS JOIN share
), edge AS MATERIALIZED (
  SELECT max(x.created_at) AS at FROM spans s CROSS JOIN LATERAL (
    SELECT created_at FROM messages WHERE chat_id = s.chat_id AND seq = s.start - s.size AND s.start - s.size >= s.first_seq LIMIT 1) x
), looked AS MATERIALIZED (
  SELECT x.id, x.created_at
  FROM edge CROSS JOIN spans s CROSS JOIN LATERAL (
    SELECT id, created_at FROM messages
    WHERE chat_id = s.chat_id AND seq <= s.start AND seq > s.start - s.size AND seq >= s.first_seq ORDER BY seq DESC LIMIT s.size) x
  WHERE (edge.at IS NULL OR s.last_activity_at > edge.at AND x.created_at > edge.at)
    AND ($4::timestamptz IS NULL OR (x.created_at, x.id) < ($4, $5::uuid))
  ORDER BY x.created_at DESC, x.id DESC LIMIT $7
), head AS (
  SELECT edge.at IS NOT NULL OR (SELECT count(*) FROM looked) = $7 AS more, l.created_at AS looked_at, l.id AS looked_id
  FROM edge LEFT JOIN (SELECT * FROM looked ORDER BY created_at, id LIMIT 1) l ON true
), found AS (
  SELECT m.* FROM looked l JOIN messages m ON m.id = l.id
  WHERE m.deleted_at IS NULL AND ${WORDS.replace('content', 'm.content')} @@ plainto_tsquery('simple', $2)
    AND ($9::text IS NULL OR m.sender_id = $9) AND ($10::timestamptz IS NULL OR m.created_at > $10)
  ORDER BY l.created_at DESC, l.id DESC LIMIT $6
)
SELECT head.looked_at, head.looked_id, head.more, ${MESSAGE_COLUMNS}
FROM head LEFT JOIN found m ON true
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.created_at DESC, m.id DESC`
