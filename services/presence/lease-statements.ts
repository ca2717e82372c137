/** The statements of the leases in PostgreSQL; what they do stands in migrations/0007_presence.sql. Each answers one value in JSON, or numbers. */

export const ENTER = 'SELECT presence_enter($1, $2, $3) AS "isYoung"'
export const APPLY =
  'SELECT is_known AS "isKnown", changed, crowded FROM presence_apply($1, $2::json, $3::json, $4::text[], $5, $6, $7)'
export const SWEEP =
  'SELECT changed, is_more AS "isMore", store_ms::float8 AS "storeMs" FROM presence_sweep($1, $2, $3)'
export const CHOOSE = 'SELECT presence_choose($1, $2, $3) AS changed'
export const LEAVE = 'SELECT presence_leave($1, $2) AS "isLast"'
export const CLOCK = 'SELECT presence_clock()::float8 AS "atMs"'

const PUBLIC = `p.user_id AS "userId", p.status <> 'offline' AS "isOnline", p.status,
  p.last_seen_ms::float8 AS "lastSeenAtMs", p.version::float8 AS version`
const TRUE = `p.user_id AS "userId", p.true_status <> 'offline' AS "isOnline", p.true_status AS status,
  p.true_last_seen_ms::float8 AS "lastSeenAtMs", p.true_version::float8 AS version`

// Each is looked up by itself (LATERAL, OFFSET 0), for the planner may take a table that has just filled for an empty one.
const someOf = (columns: string, version: string) => `
SELECT ${columns} FROM (SELECT DISTINCT unnest($1::text[]) COLLATE "C" AS id) u
JOIN LATERAL (SELECT * FROM presences x WHERE x.user_id = u.id AND x.${version} > 0 OFFSET 0) p ON true`

export const GET = someOf(PUBLIC, 'version')
export const TRUTH = someOf(TRUE, 'true_version')

/** Who went offline since a time: they are forgotten an hour (3,600,000 ms) after it, which `presences_due` knows. */
export const LEFT = `
SELECT p.user_id AS "userId", (p.due_ms - 3600000)::float8 AS "atMs" FROM presences p
WHERE p.due_ms >= $1::bigint + 3600000 AND p.true_status = 'offline' AND p.true_version > 0`

/** All who are online, after a user id. */
export const ONLINE = `
SELECT ${TRUE} FROM presences p WHERE p.true_status <> 'offline' AND p.user_id > $1 ORDER BY p.user_id LIMIT $2`

/** How many the public knows to be online, and how many are. */
export const COUNT = `SELECT
  (SELECT count(*) FROM presences WHERE status <> 'offline')::float8 AS public,
  (SELECT count(*) FROM presences WHERE true_status <> 'offline')::float8 AS here`

/** Those online whom a user may know, as services/presence/visibility.ts has it: how many they are, and a page of them. */
export const ONLINE_TO = `
WITH known AS MATERIALIZED (
  SELECT theirs.user_id FROM members mine
  JOIN LATERAL (SELECT x.user_id FROM members x WHERE x.chat_id = mine.chat_id OFFSET 0) theirs ON true
  WHERE mine.user_id = $1
  UNION SELECT $1
), online AS MATERIALIZED (
  SELECT p.* FROM known k
  JOIN LATERAL (SELECT * FROM presences x WHERE x.user_id = k.user_id AND x.status <> 'offline' OFFSET 0) p ON true
  WHERE NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = $1 AND b.blocked_user_id = k.user_id)
    AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = k.user_id AND b.blocked_user_id = $1)
), page AS (
  SELECT ${PUBLIC} FROM online p WHERE p.user_id > $2 ORDER BY p.user_id LIMIT $3
)
SELECT (SELECT count(*) FROM online)::float8 AS count, coalesce((SELECT json_agg(page) FROM page), '[]') AS records`

/** How long it takes until a store that was lost may be believed, in ms: nodes have so long ($2) to open their leases ($1 ms each) anew. */
export const UNSETTLED = `
SELECT (CASE
  WHEN NOT EXISTS (SELECT 1 FROM presence_marks) THEN 0
  ELSE coalesce((SELECT young_until_ms - $1::bigint + $2::bigint - coalesce($3::bigint, presence_clock()) FROM presence_stores), $2::bigint)
END)::float8 AS "waitMs"`
