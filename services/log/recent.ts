import { randomUUID } from 'node:crypto'
import type { Database } from '../db/index.js'
import { alone } from '../db/migrate.js'
import type { USER_ENDS } from '../db/user-ends.js'
import { createDatabaseClock } from './database-clock.js'

/** What was committed between two looks at the database, each thing in one of them. */
export interface Found {
  /** Chats that went on, with the highest revision written there. */
  heads: [chatId: string, revision: number][]
  /** Who came into which chat. */
  joined: [chatId: string, userId: string][]
  /** Whose sockets are to end. */
  ends: UserEnd[]
}

/** The end of all sockets that a user had so many milliseconds ago. */
export interface UserEnd {
  userId: string
  code: (typeof USER_ENDS)[number]
  ageMs: number
}

/** A look at the database: where the next one begins, and what was found. */
export interface Look {
  place: Place
  found: Found
  /** Whether that is all; else everything is to be compared, but the ends of sockets, which are nowhere to be compared with. */
  isWhole: boolean
  /** How many lines were read. */
  lines: number
}

export interface Place {
  /** What was committed by then, as PostgreSQL's text of it. */
  snapshot: string
  /** In which life of the database. */
  epoch: string
}

const WITHIN_MS = 2_000
/** Lines that one look reads; of more, such as an import, it answers that they are not all. */
export const MAX_LINES = 10_000

/** Reads what was committed since a place; see `RECENT` for why it misses nothing. */
export function createRecent(db: Pick<Database, 'run'>) {
  const clock = createDatabaseClock()
  // Before all that wait: it takes a millisecond, and is for all chats of the node. What is late has its own limit.
  const turn = { first: true, withinMs: WITHIN_MS }

  async function beginEpoch(): Promise<void> {
    await db.run('begin_epoch', BEGIN_EPOCH, [randomUUID()], turn)
  }

  return async function look(since: Place | null): Promise<Look> {
    const askedAt = performance.now()
    const [row] = await db.run<RecentRow>('log_recent', RECENT, [since?.snapshot ?? null], turn)
    if (!row) throw new Error('a look answers one row')
    clock.compare(row.now_ms, askedAt, performance.now())
    if (row.epoch === null) {
      await beginEpoch()
      return look(null)
    }
    const { snapshot, epoch, lines } = row
    const isKnown = since?.epoch === epoch
    const { heads, joined } = isKnown ? row : NOTHING
    // Which are new cannot be said without a place: those of the last hour mean nobody who has come since.
    const ended = isKnown ? row.ends : await db.run<EndRow>('recent_ends', ENDS, [], turn)
    const now = performance.now()
    const ends = ended.map(({ userId, code, atMs }) => ({ userId, code, ageMs: clock.ageOf(atMs, now) }))
    const isWhole = isKnown && lines < MAX_LINES && ends.length < MAX_LINES
    return { place: { snapshot, epoch }, found: { heads, joined, ends }, isWhole, lines }
  }
}

/** Makes the index by which `RECENT` reads, where nodes need it; it takes as long as it takes, and holds up no send. */
export async function prepareRecent(
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>,
  isNeeded: boolean,
): Promise<void> {
  if (!isNeeded) return
  if (db.embedded) {
    await db.run('make_recent', `CREATE INDEX IF NOT EXISTS ${INDEX}`, [])
    return
  }
  await alone(db, async (client) => {
    const { rows } = await client.query(
      `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('chat_log_recent')`,
    )
    if (rows[0]?.indisvalid) return
    // One that was being made when its node ended is there, and not valid.
    await client.query('DROP INDEX CONCURRENTLY IF EXISTS chat_log_recent')
    await client.query(`CREATE INDEX CONCURRENTLY ${INDEX}`)
  })
}

const INDEX = 'chat_log_recent ON chat_log (xact_id) WHERE xact_id IS NOT NULL'

interface RecentRow extends Record<string, unknown> {
  snapshot: string
  epoch: string | null
  lines: number
  heads: Found['heads']
  joined: Found['joined']
  ends: EndRow[]
  now_ms: number
}

interface EndRow extends Record<string, unknown> {
  userId: string
  code: UserEnd['code']
  /** When it was, by the database's clock, in milliseconds as `now_ms` is. */
  atMs: number
}

const NOTHING: Pick<Found, 'heads' | 'joined'> = { heads: [], joined: [] }

// What this statement sees and the one that took the snapshot $1 did not was written by transactions that were under way then, which that snapshot
// names, or had no number yet, and so have one from its xmax on. Both are ranges of the index: a transaction that is open for hours, anywhere in
// the server, makes this no longer, and nothing is read twice. Rows from another server, by a dump, can have numbers that are still to come here:
// they lie above this statement's own xmax. The ORDER BY and LIMIT have the planner take the index, whatever it knows of the table; of an
// equality it would drop the order, and read the table from end to end where one transaction has written most of it.
/** The lines that were committed since the snapshot $1. */
export const LINES = `lines AS MATERIALIZED (
  (SELECT chat_id, revision, kind, user_id FROM chat_log
  WHERE xact_id >= pg_snapshot_xmax($1::pg_snapshot) AND xact_id < pg_snapshot_xmax(pg_current_snapshot())
  ORDER BY xact_id LIMIT ${MAX_LINES})
  UNION ALL
  SELECT l.chat_id, l.revision, l.kind, l.user_id FROM pg_snapshot_xip($1::pg_snapshot) AS x (xact_id)
  CROSS JOIN LATERAL (
    SELECT * FROM chat_log WHERE xact_id >= x.xact_id AND xact_id <= x.xact_id ORDER BY xact_id LIMIT ${MAX_LINES}) l
)`

/** The chats of those lines, with the highest revision that is written there. */
export const HEADS = `
  (SELECT coalesce(json_agg(json_build_array(h.chat_id, h.revision)), '[]')
    FROM (SELECT chat_id, max(revision) AS revision FROM lines GROUP BY chat_id) h) AS heads`

const RECENT = `
WITH ${LINES}, joined AS (
  SELECT chat_id, user_id FROM lines WHERE kind = 'member_added'
  UNION ALL
  SELECT m.chat_id, m.user_id FROM lines l CROSS JOIN LATERAL (
    SELECT * FROM members WHERE chat_id = l.chat_id OFFSET 0) m WHERE l.kind = 'chat_created' AND m.joined_revision = 1
), ended AS (
  SELECT user_id, code, at FROM user_ends
  WHERE (xact_id >= pg_snapshot_xmax($1::pg_snapshot) AND xact_id < pg_snapshot_xmax(pg_current_snapshot()))
    OR xact_id = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot)))
  LIMIT ${MAX_LINES}
)
SELECT pg_current_snapshot()::text AS snapshot,
  (SELECT epoch FROM log_epochs WHERE id = 1) AS epoch,
  (SELECT count(*)::integer FROM lines) AS lines,
  ${HEADS},
  (SELECT coalesce(json_agg(json_build_array(chat_id, user_id)), '[]') FROM joined) AS joined,
  (SELECT coalesce(json_agg(json_build_object('userId', user_id, 'code', code,
    'atMs', extract(epoch FROM at)::float8 * 1000)), '[]') FROM ended) AS ends,
  extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`

/** All ends that are kept, the last first. */
const ENDS = `
SELECT user_id AS "userId", code, extract(epoch FROM at)::float8 * 1000 AS "atMs"
FROM user_ends ORDER BY at DESC LIMIT ${MAX_LINES}`

/** Marks the life of the database, where it has no mark. */
export const BEGIN_EPOCH = 'INSERT INTO log_epochs (id, epoch) VALUES (1, $1) ON CONFLICT DO NOTHING'
