import pg from 'pg'
import t from 'tap'
import { build, type Service, tempDir, until } from '../../helper.js'
import { createMigrated } from '../../helpers/migrated.js'
import { needsPostgres } from '../../helpers/postgres.js'

// A start on a large table died of the index that it waited for.

/** Above 64 MiB. */
const ROWS = 350_000

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
     SELECT gen_random_uuid(), $1, n, n + 1, 'alice', 'needle number ' || n || repeat(' hay' || n % 97, 20), now()
     FROM generate_series(1, ${ROWS}) AS n`,
    [chatId],
  )
  await client.query('UPDATE chats SET last_seq = $2, revision = $2 + 1 WHERE id = $1', [chatId, ROWS])
  await client.query('DROP INDEX messages_words')
  await first.host.close()

  const healthOf = async ({ call }: Service) => (await call('GET', '/health')).body.checks.search
  const search = ({ call }: Service) => call('GET', '/messages/search?query=needle+349999', { as: 'alice' })

  const second = await start()
  t.match(await search(second), { status: 503, body: { error: { code: 'UNAVAILABLE', retryable: true } } })
  await until('as told', async () => (await healthOf(second)).isBuilding)
  t.match(await healthOf(second), { ok: false, isBuilding: true })
  const sent = await second.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'meanwhile' } })
  t.equal(sent.status, 201, 'sends go on')
  const making = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY messages_words%' AND state = 'active'`
  await until('as told', async () => (await client.query(making)).rowCount === 1)
  await second.host.close()
  t.equal((await client.query(making)).rowCount ?? 0, 0, 'who stops leaves nothing running')

  const [third, fourth] = [await start(), await start()]
  await until('as told', async () => (await healthOf(third)).isBuilding || (await healthOf(fourth)).isBuilding)
  await until('as told', async () => (await client.query(making)).rowCount === 1)
  t.not((await healthOf(third)).isBuilding, (await healthOf(fourth)).isBuilding, 'one node makes it')
  await until('as told', async () => (await healthOf(third)).ok && (await healthOf(fourth)).ok)
  for (const node of [third, fourth]) {
    const found = await search(node)
    t.match(found, { status: 200, body: { messages: [{ seq: 349_999 }] } }, 'and both search by it')
  }
})
