import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { openDatabase } from '../services/db/index.js'
import { migrate } from '../services/db/migrate.js'
import { prepareRecent } from '../services/log/recent.js'
import { createRecentMoves } from '../services/notices/recent-moves.js'
import { createScan } from '../services/notices/scan.js'
import { createOwner } from './lib/owner.js'
import { startCluster } from './lib/postgres.js'

// npm run bench:notices -- [--chats N] [--runs N]: what one scan for unread notices takes of PostgreSQL, where messages were stored in some of many chats of
// five, all of whose members are away or all here. At the end, how often whole tables were read.

const { values } = parseArgs({ options: { chats: { type: 'string' }, runs: { type: 'string' } } })
const CHATS = Number(values.chats ?? 100_000)
const RUNS = Number(values.runs ?? 20)
const MEMBERS = 5
const SEED_AT_ONCE = 20_000
const MOVED = [0, 100, 500, 1_000]
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const owner = createOwner()
const { url } = await startCluster(owner)
const db = await openDatabase({ databaseUrl: url, dataDir: tmpdir(), logger: quiet })
owner.teardown(() => db.close())

const SEED = `
WITH c AS (
  INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
  SELECT 'chat-' || n, 'group', 'all', ${MEMBERS}, 2, 1, now(), now() FROM generate_series($1::integer, $2::integer) n RETURNING id
), m AS (
  INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
  SELECT c.id, 'user-' || (hashtext(c.id) & 65535) + i, 'member', now(), 1, 1, 1 FROM c, generate_series(1, ${MEMBERS}) i
), s AS (
  INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
  SELECT gen_random_uuid(), c.id, 1, 2, 'sender', 'hello', now() FROM c RETURNING id, chat_id
)
INSERT INTO chat_log (chat_id, revision, kind, message_id, at) SELECT chat_id, 2, 'message_created', id, now() FROM s`

/** One message more in some chats, taken at random. */
const SEND = `
WITH c AS (
  UPDATE chats SET last_seq = last_seq + 1, revision = revision + 1, last_activity_at = clock_timestamp()
  WHERE id = ANY ($1) RETURNING id, last_seq, revision
), s AS (
  INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
  SELECT gen_random_uuid(), id, last_seq, revision, 'sender', 'hello', clock_timestamp() FROM c RETURNING id, chat_id, revision
)
INSERT INTO chat_log (chat_id, revision, kind, message_id, at) SELECT chat_id, revision, 'message_created', id, now() FROM s`

/** How often tables were read from end to end. */
const SEQ_SCANS = `
SELECT relname AS name, seq_scan AS scans FROM pg_stat_user_tables WHERE relname IN ('chats', 'members', 'messages', 'chat_log') ORDER BY 1`

async function measure(
  moved: number,
  isAway: boolean,
): Promise<{ times: number[]; statements: Map<string, number>; told: number }> {
  const statements = new Map<string, number>()
  let spentMs = 0
  const timed: Pick<typeof db, 'run'> = {
    async run(name, text, given, options) {
      const at = performance.now()
      const rows = await db.run(name, text, given, options)
      spentMs += performance.now() - at
      statements.set(name, (statements.get(name) ?? 0) + performance.now() - at)
      return rows as never
    },
  }
  const record = (userId: string) => ({
    userId,
    isOnline: true,
    status: 'online' as const,
    lastSeenAtMs: null,
    version: 1,
  })
  const leases = {
    truth: async (userIds: string[]) => new Map(isAway ? [] : userIds.map((userId) => [userId, record(userId)])),
    left: async () => [],
  }
  const moves = createRecentMoves({ db: timed, afterMs: 0, place: null })
  const parts = { db: timed, leases, moves, afterMs: 0, maxMembers: 200, isStopped: () => false }
  const [row] = await db.run<{ since: string }>('bench_now', 'SELECT clock_timestamp()::text AS since', [])
  const scan = createScan({ ...parts, start: { since: row?.since ?? '', place: null, leftMs: 0 } })
  await scan.once()
  const times: number[] = []
  for (let run = 0; run <= RUNS; run += 1) {
    const chats = Array.from({ length: moved }, () => `chat-${Math.floor(Math.random() * CHATS)}`)
    await db.run('bench_send', SEND, [chats])
    spentMs = 0
    await scan.once()
    // The first one prepares the statements.
    if (run > 0) times.push(spentMs)
  }
  const [count] = await db.run<{ told: number }>('bench_told', 'SELECT count(*)::integer AS told FROM notices', [])
  await db.run('bench_empty', 'DELETE FROM notices', [])
  return { times: times.sort((a, b) => a - b), statements, told: count?.told ?? 0 }
}

try {
  await migrate(db)
  await prepareRecent(db, true)
  for (let from = 0; from < CHATS; from += SEED_AT_ONCE)
    await db.run('bench_seed', SEED, [from, Math.min(from + SEED_AT_ONCE, CHATS) - 1], { limitMs: 120_000 })
  await db.pool.query('VACUUM ANALYZE')
  const { rows: before } = await db.pool.query<{ name: string; scans: string }>(SEQ_SCANS)
  for (const moved of MOVED) {
    for (const isAway of [true, false]) {
      const { times, statements, told } = await measure(moved, isAway)
      const [median, worst] = [times[Math.floor(times.length / 2)] ?? 0, times.at(-1) ?? 0]
      const each = [...statements].map(([name, ms]) => `${name} ${(ms / (RUNS + 2)).toFixed(1)}`).join(', ')
      console.log(
        `${moved} of ${CHATS} chats moved, all ${isAway ? 'away' : 'here'}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms; ${told} told (${each})`,
      )
    }
  }
  await db.pool.query('SELECT pg_stat_force_next_flush()')
  const { rows: after } = await db.pool.query<{ name: string; scans: string }>(SEQ_SCANS)
  console.log('whole tables read:', JSON.stringify({ before, after }))
} finally {
  await owner.end()
}
