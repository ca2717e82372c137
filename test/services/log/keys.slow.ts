import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { type Database, openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { seqsOf } from '../../../services/log/erasure.js'
import { createKeyIndex, prepareKeys } from '../../../services/log/keys.js'
import { createStep } from '../../../services/log/steps.js'
import { createUsers } from '../../../services/users/index.js'
import { onEachDatabase, tempDir, until } from '../../helper.js'
import { createOlderChat, migrationsBefore, openOlder } from '../../helpers/older.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
type Db = Pick<Database, 'pool'>

interface Sent {
  chat_id: string
  content?: string
  client_message_id?: string
  [more: string]: unknown
}

/** What becomes of some sends of bob's in one batch. */
async function send({ pool }: Db, ...sends: Sent[]): Promise<string[]> {
  const whole = sends.map((one, ord) => ({ ord, id: randomUUID(), sender_id: 'bob', content: 'x', ...one }))
  const values = [[...new Set(sends.map(({ chat_id }) => chat_id))], JSON.stringify(whole)]
  const { rows } = await pool.query('SELECT outcomes FROM log_append_more($1, $2)', values)
  return rows[0].outcomes.map(([outcome]: string[]) => outcome)
}

/** The indexes of the messages that hold keys, and whether they are valid. */
async function indexesOf({ pool }: Db): Promise<Record<string, boolean>> {
  const { rows } = await pool.query(
    `SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = 'messages'::regclass AND c.relname IN ('messages_once', 'messages_key') ORDER BY 1`,
  )
  return Object.fromEntries(rows.map(({ relname, indisvalid }) => [relname, indisvalid]))
}

const NEW = { messages_key: true }
const OLD = { messages_once: true }

/** A database as the version before keys were hashed left it, with a chat of bob's. */
async function before(t: Test, database: Parameters<typeof openOlder>[1]) {
  const db = await openOlder(t, database)
  await migrate(db, migrationsBefore(t, 'disk'))
  await createUsers(db).ensure(['alice', 'bob'].map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const { of_chat: chatId } = await createOlderChat(db, 'group', ['alice', 'bob'])
  return { db, chatId }
}

onEachDatabase('what a retry must repeat is known whatever became of the message', async (t, database) => {
  const { db, chatId } = await before(t, database)
  const asked = (users: string[]) => ({
    more: { asked: JSON.stringify([users, false, []]), mentions: { userIds: users } },
  })
  const sends: Record<string, [once: object, other: object]> = {
    plain: [{ content: 'one' }, { content: 'two' }],
    'with metadata': [
      { content: 'one', metadata: { b: 1, a: [1.0] } },
      { content: 'one', metadata: { b: 2 } },
    ],
    'without content': [{ content: null, metadata: { a: 1 } }, { content: 'one' }],
    'changed by a hook': [
      // Text that PostgreSQL would write in another way.
      { content: 'hidden', original: { content: 'one', metadata: { long: 1, b: 2 } } },
      { content: 'hidden' },
    ],
    'with mentions': [{ content: 'one', ...asked(['alice']) }, { content: 'one' }],
  }
  const entries = Object.entries(sends)
  const key = (what: string, when: string) => ({ chat_id: chatId, client_message_id: `${what} ${when}` })
  for (const when of ['before', 'after']) {
    for (const [what, [once]] of entries) t.same(await send(db, { ...key(what, when), ...once }), ['stored'], what)
    if (when === 'before') await migrate(db)
  }
  t.same(await indexesOf(db), NEW, 'a small table has it from the migration')
  const { rows } = await db.pool.query(
    `SELECT octet_length(body_hash) AS bytes FROM messages WHERE client_message_id LIKE '% after' ORDER BY seq`,
  )
  t.same(
    rows.map(({ bytes }) => bytes),
    [null, null, null, 16, 16],
    'the row itself says it, where it can',
  )

  async function retry(state: string) {
    for (const when of ['before', 'after']) {
      for (const [what, [once, other]] of entries) {
        t.same(await send(db, { ...key(what, when), ...once }), ['duplicate'], `${what} ${when}, ${state}`)
        t.same(
          await send(db, { ...key(what, when), ...other }),
          ['conflict'],
          `${what} ${when}, ${state}: another body`,
        )
      }
    }
  }
  await retry('as it was')
  const { rows: messages } = await db.pool.query('SELECT id FROM messages ORDER BY seq')
  const change = async (of: object) => {
    const changes = messages.map(({ id }, ord) => ({ ord, message_id: id, chat_id: chatId, actor_id: 'bob', ...of }))
    const { rows } = await db.pool.query('SELECT outcomes FROM log_change_messages($1, $2, 50, 50)', [
      [chatId],
      JSON.stringify(changes),
    ])
    return rows[0].outcomes.every(([outcome]: string[]) => outcome === 'ok')
  }
  t.ok(await change({ kind: 'react', is_put: true, emoji: 'x' }))
  await retry('reacted to')
  t.ok(await change({ kind: 'edit', fields: { content: 'edited' } }))
  await retry('edited')
  t.ok(await change({ kind: 'edit', fields: { content: 'edited again', metadata: { c: 1 } } }))
  await retry('edited again')
  t.ok(await change({ kind: 'delete' }))
  await retry('deleted')
  t.same(await send(db, { ...key('in one batch', '1') }, { ...key('in one batch', '1') }), ['stored', 'duplicate'])
  t.same(await send(db, { ...key('in one batch', '2') }, { ...key('in one batch', '2'), content: 'y' }), [
    'stored',
    'conflict',
  ])

  // An import brings keys without hashes, of messages that may have been edited: of those nothing is known.
  await db.pool.query(
    `INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at, edited_at)
     SELECT gen_random_uuid(), $1, 1000 + n, 1000 + n, 'bob', 'import ' || n, 'was', now(), CASE n WHEN 2 THEN now() END
     FROM generate_series(1, 2) n`,
    [chatId],
  )
  t.same(await send(db, ...[1, 2].map((n) => ({ chat_id: chatId, client_message_id: `import ${n}`, content: 'is' }))), [
    'conflict',
    'duplicate',
  ])
})

onEachDatabase('keys are told apart by all that they are', async (t, database) => {
  const { db, chatId } = await before(t, database)
  await migrate(db)
  const keys = ['a', 'A', 'a ', '\\', '\\\\', '\\x61', '\\141', "'", '😀', 'é', 'e\u0301', 'k'.repeat(128)]
  for (const key of keys) t.same(await send(db, { chat_id: chatId, client_message_id: key }), ['stored'], key)
  for (const key of keys) t.same(await send(db, { chat_id: chatId, client_message_id: key }), ['duplicate'], key)
})

t.test(
  'on a large table the index is made beside the service, and keys are one message all the while',
  {
    ...needsPostgres,
  },
  async (t) => {
    const { db, chatId } = await before(t, { databaseUrl: await createDatabase(t), dataDir: tempDir(t) })
    await db.pool.query(
      `INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
     SELECT gen_random_uuid(), $1, n, n + 1, 'bob', 'key ' || n, repeat('x', 300), now() FROM generate_series(1, 50000) n`,
      [chatId],
    )
    await db.pool.query('UPDATE chats SET last_seq = 50000, revision = 50001 WHERE id = $1', [chatId])
    await migrate(db)
    t.same(await indexesOf(db), OLD, 'the migration makes none')

    const hand = `INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
    SELECT gen_random_uuid(), chat_id, 1000000, 1000000, sender_id, client_message_id, content, created_at FROM messages WHERE client_message_id = $1`
    let sent = 0
    const holds = async (when: string) => {
      const key = `new ${++sent}`
      const one = { chat_id: chatId, client_message_id: key }
      t.same(await send(db, one), ['stored'], when)
      t.same(await send(db, one), ['duplicate'], `${when}: again`)
      for (const twice of [key, 'key 7'])
        await t.rejects(db.pool.query(hand, [twice]), { code: '23505' }, `${when}: by hand`)
      t.same(await send(db, { chat_id: chatId, client_message_id: 'key 7', content: 'x'.repeat(300) }), ['duplicate'])
      const walk =
        'SELECT chat_ids, cardinality(log_seqs_of($1, $2, 49990, 100)) AS count, log_next_chat_of($1, $3) AS older FROM log_next_wrote($1, $4)'
      const { rows } = await db.pool.query(walk, ['bob', chatId, '', -(2 ** 31)])
      t.same(rows, [{ chat_ids: [chatId], count: 10 + sent, older: chatId }], `${when}: what somebody wrote`)
      // As nodes of the version before ask.
      const older =
        'SELECT 1 FROM messages WHERE sender_id = $2 AND chat_id COLLATE "POSIX" = $1 AND client_message_id = $3'
      t.equal((await db.pool.query(older, [chatId, 'bob', key])).rowCount, 1)
    }
    await holds('before')

    // What an open transaction has seen is waited for.
    const [reader] = [new pg.Client(db.connection)]
    await reader.connect()
    t.teardown(() => reader.end())
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM messages LIMIT 1')
    const [first, second] = [0, 0].map(() => createKeyIndex({ db, logger, keptMs: 0 })) as [Keys, Keys]
    const making = async () =>
      (
        await db.pool.query(
          `SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY messages_key%' AND state = 'active'
         AND datname = current_database()`,
        )
      ).rowCount ?? 0
    first.start()
    second.start()
    await until('it is being made', async () => 'messages_key' in (await indexesOf(db)))
    t.same(await indexesOf(db), { ...OLD, messages_key: false })
    await holds('meanwhile')
    t.equal(await making(), 1, 'by one node')
    await Promise.all([first.stop(), second.stop()])
    t.equal(await making(), 0, 'who stops leaves nothing running')
    t.same(await indexesOf(db), { ...OLD, messages_key: false })

    await reader.query('COMMIT')
    const builder = createKeyIndex({ db, logger })
    builder.start()
    await until('it is there', async () => (await indexesOf(db)).messages_key === true)
    await builder.stop()
    let looks = 0
    const run: typeof db.run = (name, ...rest) => {
      looks += name === 'key_index' ? 1 : 0
      return db.run(name, ...rest)
    }
    const patient = createKeyIndex({ db: { ...db, run }, logger })
    patient.start()
    await until('a node has found it', () => looks === 1)
    await holds('both')
    t.same(await indexesOf(db), { ...OLD, ...NEW }, 'the old one stays for nodes of the version before')
    await patient.stop()

    const last = createKeyIndex({ db, logger, keptMs: 0 })
    last.start()
    await until('the old one is gone', async () => !('messages_once' in (await indexesOf(db))))
    t.same(await indexesOf(db), NEW)
    await holds('after')
    await last.stop()
  },
)

type Keys = ReturnType<typeof createKeyIndex>

onEachDatabase('an embedded database has its index of keys made at the start', async (t, database) => {
  const db = await openDatabase({ dataDir: database.dataDir ?? '', ...database, logger })
  t.teardown(() => db.close())
  await migrate(db)
  await db.pool.query('DROP INDEX messages_key')
  await db.pool.query(
    'CREATE UNIQUE INDEX messages_once ON messages (sender_id, chat_id COLLATE "POSIX", client_message_id)',
  )
  await prepareKeys(db)
  t.same(await indexesOf(db), db.embedded ? NEW : OLD, 'a server is asked beside the service')
})

// The walk goes by hashes, and so does the look for a key: one key in two such chats was one too many.
onEachDatabase(
  'what somebody wrote is found in all chats, also in two of one hash, and nobody else’s',
  async (t, database) => {
    const db = await openDatabase({ dataDir: database.dataDir ?? '', ...database, logger })
    t.teardown(() => db.close())
    await migrate(db)
    const { rows: same } = await db.pool.query(
      `SELECT array_agg('c' || i) AS ids FROM generate_series(1, 300000) i GROUP BY hashtext('c' || i) HAVING count(*) > 1 LIMIT 1`,
    )
    const [one, another]: string[] = same[0].ids
    const chatIds = [one, another, 'first', 'second', 'third']
    await db.pool.query(
      `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
     SELECT id, 'group', 'all', 0, 4, 4, now(), now() FROM unnest($1::text[]) AS c (id)`,
      [chatIds],
    )
    await db.pool.query(
      `INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
     SELECT gen_random_uuid(), c.id, n, n, CASE n WHEN 3 THEN $3 ELSE $2 END, CASE WHEN n IN (1, 3) THEN 'key' END, 'x', now()
     FROM unnest($1::text[]) AS c (id), generate_series(1, 4) AS n`,
      [chatIds, one, another],
    )
    const walk = async () => {
      const found: [string, number[]][] = []
      for await (const { chatId, seqs } of seqsOf(createStep(db), one ?? '')) found.push([chatId, seqs])
      return found.sort(([a], [b]) => (a < b ? -1 : 1))
    }
    const all = chatIds.toSorted().map((id) => [id, [1, 2, 4]])
    t.same(await walk(), all)
    await db.pool.query(
      'CREATE UNIQUE INDEX messages_once ON messages (sender_id, chat_id COLLATE "POSIX", client_message_id)',
    )
    t.same(await walk(), all, 'and while the old index is there')
  },
)
