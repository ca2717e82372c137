import { MESSAGE_COLUMNS } from '../log/entities.js'
import { UNREAD, UNREAD_FROM, UNREAD_MENTIONS } from '../log/my-chats.js'
import { isFor } from './decisions.js'

/** How far back a scan goes that begins anew: an outage that was longer is forgiven. */
export const FORGIVEN = `interval '1 day'`

/** Where the scan stands; the first one begins now, in the milliseconds that messages have. The clock of the lease store is $1. */
export const BEGIN = `
INSERT INTO notice_scans AS s (id, since, scanned_at, left_ms) VALUES (1, date_trunc('milliseconds', clock_timestamp()), clock_timestamp(), $1)
ON CONFLICT (id) DO UPDATE SET since = CASE WHEN s.scanned_at < clock_timestamp() - ${FORGIVEN} THEN date_trunc('milliseconds', clock_timestamp()) ELSE s.since END
RETURNING greatest(since, clock_timestamp() - ${FORGIVEN})::text AS since, snapshot, epoch, left_ms::float8 AS "leftMs",
  extract(epoch FROM clock_timestamp() - scanned_at)::float8 * 1000 AS "restedMs"`

/** Keeps where the scan stands: what is committed in $1 of epoch $2, and who left until $3, is decided. */
export const KEEP = `
UPDATE notice_scans SET scanned_at = clock_timestamp(), snapshot = $1, epoch = $2, left_ms = $3 WHERE id = 1
RETURNING greatest(since, clock_timestamp() - ${FORGIVEN})::text AS since`

/** A page of the chats that went on since $2, above $1. */
export const WENT_ON = `
SELECT id AS "chatId" FROM chats WHERE id > $1 AND last_activity_at >= $2::timestamptz AND deleted_at IS NULL ORDER BY id LIMIT $3`

/** What is committed now, and in which life of the database. */
export const LOOK =
  'SELECT pg_current_snapshot()::text AS snapshot, (SELECT epoch FROM log_epochs WHERE id = 1) AS epoch'

/**
 * The messages that were stored between two looks, $1 and $2, chat by chat, and of how many lines that was told: at most $3. As in the net (`log/recent.ts`),
 * what one look sees and the other did not has a number from the first one's xmax on, or was under way then; ORDER BY and LIMIT have the planner take the index.
 */
export const MOVED = `
WITH lines AS MATERIALIZED (
  (SELECT chat_id, message_id, kind FROM chat_log
  WHERE xact_id >= pg_snapshot_xmax($1::pg_snapshot) AND xact_id < pg_snapshot_xmax($2::pg_snapshot)
    AND pg_visible_in_snapshot(xact_id, $2::pg_snapshot)
  ORDER BY xact_id LIMIT $3)
  UNION ALL
  SELECT l.chat_id, l.message_id, l.kind FROM pg_snapshot_xip($1::pg_snapshot) AS x (xact_id)
  CROSS JOIN LATERAL (
    SELECT * FROM chat_log WHERE xact_id >= x.xact_id AND xact_id <= x.xact_id ORDER BY xact_id LIMIT $3) l
  WHERE pg_visible_in_snapshot(x.xact_id, $2::pg_snapshot)
), moved AS (
  SELECT l.chat_id, min(m.seq) AS first_seq, max(m.seq) AS through_seq FROM lines l
  JOIN LATERAL (SELECT x.seq FROM messages x WHERE x.id = l.message_id OFFSET 0) m ON true
  WHERE l.kind = 'message_created' GROUP BY l.chat_id
)
SELECT (SELECT count(*)::integer FROM lines) AS lines, coalesce((
  SELECT json_agg(json_build_object('chatId', m.chat_id, 'firstSeq', m.first_seq, 'throughSeq', m.through_seq)) FROM moved m), '[]') AS moved`

/** The next notices, at most $1, in chats of more than $2 members for mentions alone; without a message where there is nothing to tell any more. */
export const NEXT = `
SELECT n.notice_id AS "noticeId", n.user_id AS "userId", n.chat_id AS "chatId", n.through_seq AS "throughSeq",
  greatest(n.from_seq, ${UNREAD_FROM} + 1) AS "fromSeq", ${UNREAD} AS unread, ${UNREAD_MENTIONS} AS mentions, ${MESSAGE_COLUMNS}
FROM (SELECT * FROM notices ORDER BY at, notice_id LIMIT $1) n
LEFT JOIN LATERAL (SELECT x.* FROM members x WHERE x.chat_id = n.chat_id AND x.user_id = n.user_id OFFSET 0) b ON true
LEFT JOIN LATERAL (SELECT x.* FROM chats x WHERE x.id = n.chat_id OFFSET 0) c ON true
LEFT JOIN LATERAL (SELECT x.* FROM messages x
  WHERE x.chat_id = c.id AND x.seq > ${UNREAD_FROM} AND x.seq >= n.from_seq AND x.seq <= n.through_seq AND ${isFor('$2')}
  ORDER BY x.seq DESC LIMIT 1) m ON b.user_id IS NOT NULL
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY n.at, n.notice_id`

/** Notices of users ($1) and chats ($2), as they were up to $3, that all have who are to have them. */
export const FORGET = `
DELETE FROM notices n USING unnest($1::text[], $2::text[], $3::integer[]) AS a (user_id, chat_id, through_seq)
WHERE n.user_id = a.user_id AND n.chat_id = a.chat_id AND n.through_seq = a.through_seq`
