import { tmpdir } from 'node:os'
import { openDatabase } from '../services/db/index.js'
import { alone, migrate } from '../services/db/migrate.js'
import { ONLINE, ONLINE_TO, TRUTH } from '../services/presence/lease-statements.js'
import { createPostgresLeases } from '../services/presence/postgres-leases.js'
import { startPostgres } from '../test/helpers/postgres.js'

// npm run bench:leases: what presence costs among a million who are online on ten nodes, on a PostgreSQL of its own, as markdown.

const USERS = 1_000_000
const NODES = 10
const BATCH = 250
const ROUNDS = 40
/** People of the one chat of a user with few acquaintances, and of one with many. */
const CROWDS = [200, 100_000]
const OTHER_CHATS = 10_000

const undo: (() => unknown)[] = []
const cluster = await startPostgres({ teardown: (step) => undo.push(step) })
const logger = { debug() {}, info() {}, warn: console.error, error: console.error }
const db = await openDatabase({ databaseUrl: cluster.url, dataDir: tmpdir(), logger })
const nameOf = (i: number) => `user-${String(i).padStart(7, '0')}`
const someIds = (count: number) => Array.from({ length: count }, () => nameOf(Math.floor(Math.random() * USERS)))

try {
  await migrate(db)
  await alone(db, fill)
  console.log('| what | p50 ms | p95 ms |\n|---|---|---|')
  await measureAll()
  await plans()
} finally {
  await db.close()
  for (const step of undo.reverse()) await step()
}

/** A million users with a lease each, on nodes that are alive, and the chats of two who ask. */
async function fill(client: Pick<typeof db.pool, 'query'>): Promise<void> {
  await client.query(`INSERT INTO presence_marks VALUES (1)`)
  await client.query(`INSERT INTO presence_stores VALUES (1, 0, presence_clock(), presence_clock())`)
  await client.query(
    `INSERT INTO presence_nodes SELECT gen_random_uuid(), presence_clock() + 3600000, 12000 FROM generate_series(1, ${NODES})`,
  )
  const step = 50_000
  for (let from = 0; from < USERS; from += step) {
    await client.query(
      `INSERT INTO presence_leases SELECT n.id, gen_random_uuid()::text, 'user-' || lpad(i::text, 7, '0'), i
      FROM generate_series($1::integer, $2::integer) i JOIN (SELECT id, row_number() OVER () - 1 AS k FROM presence_nodes) n ON n.k = i % ${NODES}`,
      [from, from + step - 1],
    )
    await client.query(
      `INSERT INTO presences SELECT 'user-' || lpad(i::text, 7, '0'), 'online', 1, 1, 'online', 1, 1, 1, NULL
      FROM generate_series($1::integer, $2::integer) i`,
      [from, from + step - 1],
    )
  }
  for (const crowd of CROWDS) {
    const chatId = `chat-${crowd}`
    await client.query(
      `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
      VALUES ($1, 'group', 'all', $2, 1, 0, now(), now())`,
      [chatId, crowd],
    )
    for (let from = 0; from < crowd; from += step) {
      await client.query(
        `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
        SELECT $1, 'user-' || lpad((i * 7)::text, 7, '0'), 'member', now(), 1, 0, 1 FROM generate_series($2::integer, $3::integer) i
        UNION SELECT $1, $4, 'member', now(), 1, 0, 1 ON CONFLICT DO NOTHING`,
        [chatId, from, Math.min(crowd, from + step) - 1, `asker-${crowd}`],
      )
    }
  }
  // Others, so that a chat is a small part of all.
  await client.query(
    `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
    SELECT 'other-' || i, 'group', 'all', 20, 1, 0, now(), now() FROM generate_series(1, ${OTHER_CHATS}) i`,
  )
  await client.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT 'other-' || i, 'user-' || lpad((i * 40 + k)::text, 7, '0'), 'member', now(), 1, 0, 1
    FROM generate_series(1, ${OTHER_CHATS}) i, generate_series(1, 20) k`,
  )
  await client.query('VACUUM ANALYZE')
}

async function measureAll(): Promise<void> {
  const options = {
    db,
    leaseMs: 12_000,
    maxConnections: 50,
    connections: () => [],
    onCrowded() {},
    lingerMs: 0,
    countCost: 0,
  }
  const leases = createPostgresLeases(options)
  await leases.renew()
  let round = 0
  const batch = () => Array.from({ length: BATCH }, (_, i) => `new-${round}-${i}`)
  await measure(`${BATCH} connects of new users, one batch`, async () => {
    round += 1
    await Promise.all(batch().map((id) => leases.open(id, id)))
  })
  round = 0
  await measure(`${BATCH} disconnects, one batch`, async () => {
    round += 1
    await Promise.all(batch().map((id) => leases.close(id, id, 0)))
  })
  await measure('a heartbeat', leases.renew)
  await measure('a sweep with nothing to do', leases.sweep)
  await measure('statuses of 1,000 ids', () => leases.get(someIds(1_000)))
  const somewhere = () => nameOf(Math.floor(Math.random() * USERS))
  await measure('a page of 1,000 online, of all, without the count', () =>
    db.run('presence_online', ONLINE, [somewhere(), 1_001]),
  )
  await measure('how many are online, counted (seldom)', leases.countOnline)
  for (const crowd of CROWDS) {
    const viewer = { userId: `asker-${crowd}` }
    await measure(`a page of 1,000 of those online, and their count, for a user with ${crowd} acquaintances`, () =>
      leases.online({ viewer, after: '', limit: 1_001 }),
    )
  }
  await db.pool.query(
    `UPDATE presence_nodes SET seen_ms = 0 WHERE id = (SELECT min(id::text)::uuid FROM presence_nodes WHERE seen_ms > presence_clock())`,
  )
  await db.pool.query('UPDATE presence_stores SET watched_from_ms = 0, swept_ms = presence_clock()')
  const startedAt = performance.now()
  const told = await leases.sweep()
  console.log(`| the death of a node with ${told.length} leases | ${Math.round(performance.now() - startedAt)} | – |`)
}

async function measure(what: string, run: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < ROUNDS; i += 1) {
    const startedAt = performance.now()
    await run()
    times.push(performance.now() - startedAt)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(ROUNDS * share)]?.toFixed(1)
  console.log(`| ${what} | ${at(0.5)} | ${at(0.95)} |`)
}

async function plans(): Promise<void> {
  for (const [text, values] of [
    [TRUTH, [someIds(1_000)]],
    [ONLINE, ['', 1_001]],
    [ONLINE_TO, [`asker-${CROWDS[0]}`, '', 1_001]],
  ] as const) {
    const { rows } = await db.pool.query(`EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ${text}`, [...values])
    console.log(`\n\`\`\`\n${rows.map((row) => row['QUERY PLAN']).join('\n')}\n\`\`\``)
  }
}
