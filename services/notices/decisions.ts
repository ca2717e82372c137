import { UNREAD_FROM } from '../log/my-chats.js'

/** Messages of a chat that one decision looks back at. */
const LOOKED_AT = 1_000

const IS_MUTED = 'coalesce(z.muted_until > now(), false)'
/** What a member keeps of a chat, looked up one by one. */
const OWN =
  'LEFT JOIN LATERAL (SELECT x.muted_until FROM chat_settings x WHERE x.user_id = b.user_id AND x.chat_id = b.chat_id OFFSET 0) z ON true'
/** The last message that is old enough ($4 ms) of a chat, by the clock. */
const lastDue = (chat: string, above: string) => `
  SELECT x.seq FROM messages x
  WHERE x.chat_id = ${chat} AND x.seq > ${above} AND x.created_at <= clock_timestamp() - $4 * interval '1 millisecond'
  ORDER BY x.seq DESC LIMIT 1`

/** Whether a message `x` names member `b`. */
const IS_NAMED = `(x.mentions IS NOT NULL AND ((x.mentions->>'everyone')::boolean OR x.mentions->'userIds' ? b.user_id))`
/** Whether member `b` has not blocked who sent `x`. */
const IS_WELCOME =
  '(SELECT true FROM blocks k WHERE k.user_id = b.user_id AND k.blocked_user_id = x.sender_id LIMIT 1) IS NULL'

/** A message `x` of chat `c` that member `b` is to hear of: others' and undeleted, of nobody whom they blocked; in chats of more than `most` only what names them. */
export function isFor(most: string): string {
  const isSmall = `c.member_count <= ${most}`
  const isMeant = `(${isSmall} OR ${IS_NAMED})`
  return ['x.deleted_at IS NULL', 'x.sender_id <> b.user_id', isMeant, IS_WELCOME].join(' AND ')
}

/** Below which seq member `b` knows all, or was told of it, or it is too long ago. */
const KNOWN = [UNREAD_FROM, 'b.notified_seq', `b.through_seq - ${LOOKED_AT}`].join(', ')

/**
 * Of chats ($1) in which the messages $2 to $3 are due (null: those older than $4 ms), the members who may have to be told. In chats of more than $5
 * members only those whom one of these messages names are looked at.
 */
export const OF_CHATS = `
WITH asked AS MATERIALIZED (
  SELECT c.id, c.member_count <= $5 AS is_small, coalesce(a.through_seq, t.seq) AS through_seq,
    coalesce(a.first_seq, coalesce(a.through_seq, t.seq) - ${LOOKED_AT}) AS first_seq
  FROM unnest($1::text[], $2::integer[], $3::integer[]) AS a (chat_id, first_seq, through_seq)
  JOIN LATERAL (SELECT x.id, x.member_count, x.deleted_at FROM chats x WHERE x.id = a.chat_id OFFSET 0) c ON c.deleted_at IS NULL
  LEFT JOIN LATERAL (SELECT d.seq FROM (${lastDue('a.chat_id', '0')}) d WHERE a.through_seq IS NULL) t ON true
  WHERE coalesce(a.through_seq, t.seq) IS NOT NULL
), named AS MATERIALIZED (
  SELECT a.id, a.through_seq, m.mentions FROM asked a
  JOIN LATERAL (SELECT x.mentions FROM messages x
    WHERE x.chat_id = a.id AND x.seq >= a.first_seq AND x.seq <= a.through_seq AND x.mentions IS NOT NULL OFFSET 0) m ON true
  WHERE NOT a.is_small
), whole AS (
  SELECT a.id, a.through_seq FROM asked a WHERE a.is_small
  UNION SELECT n.id, n.through_seq FROM named n WHERE (n.mentions->>'everyone')::boolean
), b AS (
  SELECT m.user_id, m.chat_id, w.through_seq FROM whole w
  JOIN LATERAL (SELECT x.* FROM members x WHERE x.chat_id = w.id AND x.last_read_seq < w.through_seq AND x.notified_seq < w.through_seq OFFSET 0) m ON true
  UNION
  SELECT m.user_id, m.chat_id, n.through_seq FROM named n
  CROSS JOIN LATERAL jsonb_array_elements_text(n.mentions->'userIds') AS u (id)
  JOIN LATERAL (SELECT x.* FROM members x
    WHERE x.chat_id = n.id AND x.user_id = u.id AND x.last_read_seq < n.through_seq AND x.notified_seq < n.through_seq OFFSET 0) m ON true
)
SELECT b.user_id AS "userId", b.chat_id AS "chatId", b.through_seq AS "throughSeq" FROM b ${OWN} WHERE NOT ${IS_MUTED}`

/** Of users ($1) who have just left, the chats with messages stored since $2 and before $3 ms ago that they may have to be told of. */
export const OF_USERS = `
SELECT b.user_id AS "userId", b.chat_id AS "chatId", t.seq AS "throughSeq"
FROM unnest($1::text[]) AS a (user_id)
JOIN LATERAL (SELECT x.* FROM members x WHERE x.user_id = a.user_id OFFSET 0) b ON true
JOIN LATERAL (SELECT x.* FROM chats x WHERE x.id = b.chat_id OFFSET 0) c
  ON c.deleted_at IS NULL AND c.last_seq > greatest(b.last_read_seq, b.notified_seq) AND c.last_activity_at >= $2::timestamptz
JOIN LATERAL (${lastDue('c.id', 'greatest(b.last_read_seq, b.notified_seq)').replace('$4', '$3')}) t ON true
${OWN} WHERE NOT ${IS_MUTED}`

/**
 * Decides of members ($1, $2) who are away whether there is something up to $3 that they have not read and were not told of, stored since $4; in chats of
 * more than $5 members something that names them. Their rows are locked first and looked at second, so that whoever reads meanwhile is before this or
 * behind it; those that somebody else holds just now are not waited for, but answered: they are to be asked of again. What adds to a notice that is still to be
 * delivered makes it another, for somebody may have had it as it was.
 */
export const DECIDE = `
WITH asked AS (
  SELECT a.user_id, a.chat_id, max(a.through_seq) AS through_seq
  FROM unnest($1::text[], $2::text[], $3::integer[]) AS a (user_id, chat_id, through_seq) GROUP BY 1, 2
), b AS MATERIALIZED (
  SELECT m.chat_id, m.user_id, m.last_read_seq, m.visible_from_seq, m.notified_seq, a.through_seq
  FROM asked a JOIN members m ON m.chat_id = a.chat_id AND m.user_id = a.user_id
  ORDER BY m.chat_id, m.user_id FOR NO KEY UPDATE OF m SKIP LOCKED
), found AS MATERIALIZED (
  SELECT b.chat_id, b.user_id, b.through_seq, f.first_seq, f.last_seq
  FROM b
  JOIN LATERAL (SELECT x.* FROM chats x WHERE x.id = b.chat_id OFFSET 0) c ON true
  ${OWN}
  CROSS JOIN LATERAL (
    SELECT min(x.seq) AS first_seq, max(x.seq) AS last_seq FROM messages x
    WHERE x.chat_id = c.id AND x.seq > greatest(${KNOWN}) AND x.seq <= b.through_seq
    AND x.created_at >= $4::timestamptz AND ${isFor('$5')}) f
  WHERE f.last_seq IS NOT NULL AND NOT ${IS_MUTED}
), told AS (
  UPDATE members m SET notified_seq = f.through_seq FROM found f WHERE m.chat_id = f.chat_id AND m.user_id = f.user_id
), kept AS (
  INSERT INTO notices AS n (user_id, chat_id, notice_id, from_seq, through_seq, at)
  SELECT f.user_id, f.chat_id, gen_random_uuid(), f.first_seq, f.last_seq, clock_timestamp() FROM found f
  ON CONFLICT (user_id, chat_id) DO UPDATE SET through_seq = excluded.through_seq, notice_id = excluded.notice_id
)
SELECT a.user_id AS "userId", a.chat_id AS "chatId", a.through_seq AS "throughSeq"
FROM (SELECT user_id, chat_id, through_seq FROM asked EXCEPT SELECT user_id, chat_id, through_seq FROM b) a
JOIN LATERAL (SELECT 1 FROM members x WHERE x.chat_id = a.chat_id AND x.user_id = a.user_id OFFSET 0) m ON true`
