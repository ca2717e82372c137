import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createMemoryBus } from '../../../services/bus/memory.js'
import { openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { createNet } from '../../../services/log/net.js'
import { createRecent, type Found, type Look, type Place, prepareRecent } from '../../../services/log/recent.js'
import { createUsers } from '../../../services/users/index.js'
import { killPostgres } from '../../faults/postmaster.js'
import { createRandom } from '../../faults/random.js'
import { tempDir, until } from '../../helper.js'
import { migrationsBefore, openOlder } from '../../helpers/older.js'
import { createDatabase, needsPostgres, restartPostgres, startPostgres } from '../../helpers/postgres.js'

const quiet = { info() {}, debug() {}, warn() {}, error() {} }

async function open(t: Test, databaseUrl: string) {
  const db = await openDatabase({ databaseUrl, dataDir: '', logger: quiet })
  t.teardown(() => db.close())
  await migrate(db)
  await prepareRecent(db, true)
  const look = createRecent(db)
  return { db, look, place: (await look(null)).place }
}

async function openHands(t: Test, connectionString: string, count: number): Promise<pg.Client[]> {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString }))
  for (const client of clients) {
    await client.connect()
    t.teardown(() => client.end())
  }
  return clients
}

const WRITE = `INSERT INTO chat_log (chat_id, revision, kind, at) VALUES ($1, 1, 'message_created', now())`
const END_CAROL = `SELECT log_end_user('carol', 'DISCONNECTED', 0)`
const chatsOf = ({ found }: Look) => found.heads.map(([chatId]) => chatId)

t.test('what is committed between two looks is found in one of them', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const world = await open(t, databaseUrl)
  const { look } = world
  let { place } = world
  const hands = await openHands(t, databaseUrl, 6)
  const seed = Date.now() % 1_000_000
  const random = createRandom(seed)
  t.comment(`seed ${seed}`)
  /** What each transaction that is open has written, and not taken back. */
  const writing = new Map<pg.Client, string[]>()
  const committed = new Set<string>()
  const found: string[] = []
  const lookOnce = async () => {
    const next = await look(place)
    place = next.place
    found.push(...chatsOf(next))
  }
  for (let step = 0; step < 1_500; step += 1) {
    const client = hands[Math.floor(random() * hands.length)] as pg.Client
    const dice = random()
    const written = writing.get(client)
    if (dice < 0.15) await lookOnce()
    else if (!written) {
      await client.query('BEGIN')
      writing.set(client, [])
    } else if (dice < 0.5) {
      const chatId = randomUUID()
      await client.query(WRITE, [chatId])
      written.push(chatId)
    } else if (dice < 0.65) {
      // A transaction within the transaction, that stays or goes.
      const chatId = randomUUID()
      await client.query('SAVEPOINT s')
      await client.query(WRITE, [chatId])
      const stays = random() < 0.5
      await client.query(stays ? 'RELEASE SAVEPOINT s' : 'ROLLBACK TO SAVEPOINT s')
      if (stays) written.push(chatId)
    } else if (dice < 0.85) {
      await client.query('COMMIT')
      for (const chatId of written) committed.add(chatId)
      writing.delete(client)
    } else if (dice < 0.9) {
      await client.query('ROLLBACK')
      writing.delete(client)
    }
  }
  await lookOnce()
  t.ok(committed.size > 50, `${committed.size} lines`)
  t.equal(found.length, committed.size, 'each once')
  t.same(new Set(found), committed)
})

t.test('lines of older versions, and of other servers, are not taken for new ones', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const { db, look, place } = await open(t, databaseUrl)
  await db.pool.query(`INSERT INTO chat_log (chat_id, revision, kind, at, xact_id)
    SELECT 'old ' || i, 1, 'message_created', now(), CASE WHEN i < 10 THEN NULL ELSE ((1000000 + i) || '')::xid8 END
    FROM generate_series(1, 20) i`)
  await db.pool.query(WRITE, ['new'])
  t.same(chatsOf(await look(place)), ['new'])
})

t.test(
  'of what is too much it says that everything is to be compared, and whose sockets end',
  needsPostgres,
  async (t) => {
    const { db, look, place } = await open(t, await createDatabase(t))
    await db.pool.query(`INSERT INTO chat_log (chat_id, revision, kind, at)
    SELECT 'import ' || i, 1, 'message_created', now() FROM generate_series(1, 20000) i`)
    await db.pool.query(END_CAROL)
    const much = await look(place)
    t.match(much, { isWhole: false, found: { ends: [{ userId: 'carol', code: 'DISCONNECTED' }] } })
    await db.pool.query(WRITE, ['next'])
    t.same(chatsOf(await look(much.place)), ['next'])
  },
)

t.test('who came, and who is to go', needsPostgres, async (t) => {
  const { db, look, place } = await open(t, await createDatabase(t))
  const users = createUsers(db)
  const profiles = ['alice', 'bob', 'carol'].map((userId) => ({ userId, name: userId, avatarUrl: null }))
  await users.ensure(profiles)
  await db.pool.query(`SELECT log_create_chat('c', 'group', NULL, 'all', NULL, 'alice', '{alice,bob}', 100)`)
  await db.pool.query(`SELECT log_add_members('c', NULL, '{carol}', 100)`)
  const came = await look(place)
  t.same(came.found.heads, [['c', 2]])
  t.same(came.found.joined.toSorted(), [
    ['c', 'alice'],
    ['c', 'bob'],
    ['c', 'carol'],
  ])

  await users.saveLastSeen([{ userId: 'alice', lastSeenAtMs: Date.now(), version: 1 }])
  await users.revokeTokens('alice')
  await db.pool.query(`SELECT log_delete_user('bob')`)
  await db.pool.query(`SELECT log_end_user('carol', 'DISCONNECTED', 60000)`)
  await users.saveLastSeen([{ userId: 'alice', lastSeenAtMs: Date.now(), version: 2 }])
  const { found } = await look(came.place)
  t.same(
    found.ends.map(({ userId, code }) => [userId, code]).toSorted(),
    [
      ['alice', 'TOKEN_REVOKED'],
      ['bob', 'USER_DELETED'],
      ['carol', 'DISCONNECTED'],
    ],
    'one row each, and none for what is no end',
  )
  const ageOf = (userId: string) => found.ends.find((end) => end.userId === userId)?.ageMs ?? Number.NaN
  t.ok(ageOf('carol') >= 60_000 && ageOf('carol') < 90_000 && ageOf('alice') < 30_000)

  await db.pool.query(`UPDATE user_ends SET at = at - interval '2 hours'`)
  await users.revokeTokens('bob')
  const { rows } = await db.pool.query('SELECT user_id, code FROM user_ends')
  t.same(rows, [{ user_id: 'bob', code: 'USER_DELETED' }], 'what is old goes')
})

t.test('a look takes the index, whatever the planner knows', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const { db, look } = await open(t, databaseUrl)
  const [writer] = await openHands(t, databaseUrl, 1)
  await writer?.query('BEGIN')
  await writer?.query(WRITE, ['open'])
  await db.pool.query(WRITE, ['later'])
  const { place } = await look(null)
  // Other tests share the server.
  t.match(place.snapshot, /:\d+(,\d+)*$/, 'a transaction is open')
  const texts: string[] = []
  const record = async (_name: string, text: string) => {
    texts.push(text)
    return [{ snapshot: '1:1:', epoch: 'e', lines: 0, heads: [], joined: [], ends: [] }] as never
  }
  await createRecent({ run: record })(place)
  const client = await db.pool.connect()
  t.teardown(() => client.release())
  const scans = async () =>
    (await client.query(`SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'chat_log'`)).rows[0]
  // A large log by one transaction, as the planner knows nothing of it and when it does; and one of which half is from an older version.
  for (const sql of [fill('pg_current_xact_id()'), 'ANALYZE chat_log', fill('NULL'), 'ANALYZE chat_log']) {
    await client.query(sql)
    await client.query('BEGIN')
    const before = await scans()
    // The first five times it is planned for its values, then perhaps once for all.
    const name = randomUUID()
    for (let i = 0; i < 8; i += 1) await client.query({ name, text: texts[0] ?? '', values: [place.snapshot] })
    const after = await scans()
    await client.query('ROLLBACK')
    t.equal(after.seq_scan, before.seq_scan, 'the log is not read from end to end')
    t.ok(Number(after.idx_scan) - Number(before.idx_scan) >= 16, 'both parts of it by the index')
  }
})

const fill = (xactId: string) => `INSERT INTO chat_log (chat_id, revision, kind, at, xact_id)
  SELECT gen_random_uuid(), 1, 'message_created', now(), ${xactId} FROM generate_series(1, 100000) i`

t.test('a large log gets its column without being written again', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const db = await openOlder(t, { databaseUrl, dataDir: tempDir(t) })
  await migrate(db, migrationsBefore(t, '0008'))
  await db.pool.query(WRITE, ['old'])
  const file = async () => (await db.pool.query(`SELECT pg_relation_filenode('chat_log') AS file`)).rows[0].file
  const before = await file()
  await migrate(db)
  await prepareRecent(db, true)
  await prepareRecent(db, true)
  t.equal(await file(), before)
  await db.pool.query(WRITE, ['new'])
  const { rows } = await db.pool.query('SELECT chat_id, xact_id IS NULL AS is_old FROM chat_log ORDER BY is_old')
  t.same(rows, [
    { chat_id: 'new', is_old: false },
    { chat_id: 'old', is_old: true },
  ])
  // By somebody whose search_path is another.
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`INSERT INTO older.user_states (user_id, deleted_at) VALUES ('gone', now())`)
  t.same((await db.pool.query('SELECT user_id, code FROM user_ends')).rows, [{ user_id: 'gone', code: 'USER_DELETED' }])
})

t.test('after a crash of the database everything is compared', needsPostgres, async (t) => {
  const cluster = await startPostgres(t)
  const { db, look, place } = await open(t, cluster.url)
  const told: ('gap' | Found)[] = []
  const warned: unknown[] = []
  const places: (string | undefined)[] = []
  const net = createNet({
    look: (since: Place | null) => {
      places.push(since?.epoch)
      return look(since)
    },
    bus: createMemoryBus(quiet),
    logger: { ...quiet, warn: (fields) => void warned.push(fields) },
    calmMs: 20,
  })
  t.teardown(net.stop)
  net.onGap(() => void told.push('gap'))
  net.onFound((found) => found.heads.length > 0 && told.push(found))
  await until('the first look', () => told.length === 1)
  t.same(told, ['gap'])
  await db.pool.query(WRITE, ['before'])
  await until('it is found', () => told.length === 2)

  await killPostgres(cluster, true)
  await until('a look fails', () => warned.length > 0)
  await restartPostgres(cluster)
  await until('everything is compared', () => told.filter((one) => one === 'gap').length === 2)
  t.equal(warned.length, 1, 'which is said once')
  await db.pool.query(WRITE, ['after'])
  await until('and then what is new', () => told.length === 4)
  t.match(told[3], { heads: [['after', 1]] })
  t.equal(new Set(places.filter(Boolean)).size, 2, 'it is another life of the database')
  await db.pool.query(END_CAROL)
  t.match(
    await look(place),
    { isWhole: false, found: { heads: [], ends: [{ userId: 'carol', code: 'DISCONNECTED' }] } },
    'also to a node that did not see it end, which is told whose sockets end',
  )
})
