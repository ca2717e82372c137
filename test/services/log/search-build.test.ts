import pg from 'pg'
import t from 'tap'
import { build, type Service, tempDir, until } from '../../helper.js'
import { createMigrated } from '../../helpers/migrated.js'
import { needsPostgres } from '../../helpers/postgres.js'

// A start on a large table died of the index that it waited for.

/** Of some 500 bytes each: above 64 MiB. */
const ROWS = 150_000
/** The index takes seconds; on a busy machine, many times that. */
const INDEX_MS = 120_000

t.test('the index of search on a large table is made beside the service', needsPostgres, async (t) => {
  const databaseUrl = await createMigrated(t)
  const start = () => build(t, { databaseUrl, dataDir: tempDir(t) })
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  t.teardown(() => client.end())
  const first = await start()
  const { chatId } = await first.app.chat.log
    .createChat({ type: 'group', owner: 'alice', founders: ['alice'] })
    .then(({ chatId }) => ({ chatId }))
  await client.query(
    `INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
     SELECT gen_random_uuid(), $1, n, n + 1, 'alice', 'needle number ' || n || ' ' || repeat(chr(97 + n % 26), 420), now()
     FROM generate_series(1, ${ROWS}) AS n`,
    [chatId],
  )
  await client.query('UPDATE chats SET last_seq = $2, revision = $2 + 1 WHERE id = $1', [chatId, ROWS])
  await client.query('DROP INDEX messages_words')
  await first.host.close()

  const healthOf = async ({ call }: Service) => (await call('GET', '/health')).body.checks.search
  const search = ({ call }: Service) => call('GET', `/messages/search?query=needle+${ROWS - 1}`, { as: 'alice' })

  const second = await start()
  t.match(await search(second), { status: 503, body: { error: { code: 'UNAVAILABLE', retryable: true } } })
  await until('the second node makes it', async () => (await healthOf(second)).isBuilding)
  t.match(await healthOf(second), { ok: false, isBuilding: true })
  const sent = await second.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'meanwhile' } })
  t.equal(sent.status, 201, 'sends go on')
  const making = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY messages_words%' AND state = 'active'`
  await until('the database makes it', async () => (await client.query(making)).rowCount === 1)
  await second.host.close()
  t.equal((await client.query(making)).rowCount ?? 0, 0, 'who stops leaves nothing running')

  const [third, fourth] = [await start(), await start()]
  await until(
    'the third or the fourth makes it',
    async () => (await healthOf(third)).isBuilding || (await healthOf(fourth)).isBuilding,
  )
  await until('the database makes it again', async () => (await client.query(making)).rowCount === 1)
  t.not((await healthOf(third)).isBuilding, (await healthOf(fourth)).isBuilding, 'one node makes it')
  await until('both have it', async () => (await healthOf(third)).ok && (await healthOf(fourth)).ok, INDEX_MS)
  for (const node of [third, fourth]) {
    const found = await search(node)
    t.match(found, { status: 200, body: { messages: [{ seq: ROWS - 1 }] } }, 'and both search by it')
  }
})
